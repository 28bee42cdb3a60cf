pytest_plugins = ["telnyx_native.testing"]
