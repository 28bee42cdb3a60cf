"""A Kotlin program for Telnyx's Android SDK, and the same in Python: line by line, to find your way.

Each comment is the Kotlin of the lines below it. Start `telnyx-native gateway` in another terminal and run this.
Every name is in docs/android.md.
"""

import asyncio
import sys

from telnyx_native import (
    CallState,
    CredentialConfig,
    InviteResponse,
    LogLevel,
    SocketMethod,
    SocketStatus,
    TelnyxClient,
    TxServerConfiguration,
)

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"


# lifecycleScope.launch {
#     telnyxClient.socketResponseFlow.collect { response ->
#         when (response.status) {
#             SocketStatus.MESSAGERECEIVED -> response.data?.let { data ->
#                 when (data.method) {
#                     SocketMethod.INVITE.methodName -> {
#                         val invite = data.result as InviteResponse
#                         telnyxClient.acceptCall(invite.callId, invite.callerIdNumber)
#                     }
#                     SocketMethod.BYE.methodName -> { /* call ended */ }
#                 }
#             }
#             SocketStatus.ERROR -> { /* response.errorCode */ }
#             SocketStatus.DISCONNECT -> { /* socket disconnected */ }
#         }
#     }
# }
async def react(client: TelnyxClient) -> None:
    async for response in client.socket_response_flow:
        match response.status:
            case SocketStatus.MESSAGERECEIVED if response.data:
                match response.data.method:
                    case SocketMethod.INVITE.method_name:
                        assert isinstance(response.data.result, InviteResponse)
                        await client.accept_call(response.data.result.call_id)
                    case SocketMethod.BYE.method_name:
                        print("bye")
            case SocketStatus.ERROR:
                print(response.error_message)
            case SocketStatus.DISCONNECT:
                print("disconnected")


async def main() -> None:
    # val telnyxClient = TelnyxClient(context)
    async with TelnyxClient() as client, asyncio.TaskGroup() as scope:
        scope.create_task(react(client))

        # val credentialConfig = CredentialConfig(
        #     sipUser = "alice", sipPassword = "demo",
        #     sipCallerIDName = "Alice", sipCallerIDNumber = "+15550100",
        #     logLevel = LogLevel.ERROR, autoReconnect = true
        # )
        config = CredentialConfig(
            "alice",
            "demo",
            sip_caller_id_name="Alice",
            sip_caller_id_number="+15550100",
            log_level=LogLevel.ERROR,
            auto_reconnect=True,
        )

        # telnyxClient.connect(providedServerConfig, credentialConfig, txPushMetaData, true)
        await client.connect(TxServerConfiguration.parse(SERVER), config)

        # val call = telnyxClient.call.newInvite("Alice", "+15550100", "echo", "my-custom-state")
        call = await client.new_invite("echo", client_state="my-custom-state")

        # call.callStateFlow.first { it == CallState.ACTIVE }
        await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=10)
        print(call.state)

        # call.onMuteUnmutePressed()
        print("muted" if call.toggle_mute() else "not muted")

        # call.onHoldUnholdPressed(callId)
        await call.toggle_hold()
        print(call.state)
        await call.toggle_hold()

        # call.dtmf(callId, "1")
        await call.dtmf("1")

        # call.endCall(callId)
        await call.end()

        # if (call.callStateFlow.value is CallState.DONE) { ...reason?.cause }
        if isinstance(call.state, CallState.DONE) and call.state.reason:
            print(call.state.reason.cause)

        # telnyxClient.disconnect()
        await client.close()  # ends the flows, too, and with them react()


asyncio.run(main())
