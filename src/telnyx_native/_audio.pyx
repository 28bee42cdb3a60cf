# cython: language_level=3, freethreading_compatible=True
# distutils: language = c++
"""The audio data plane: how Python writes and reads the PCM of a call. Private; see telnyx_native.media.stream."""

cimport cython
from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr, unique_ptr
from libcpp.optional cimport optional
from libcpp.vector cimport vector

cdef extern from *:
    """
    #include "bindings/main_interpreter.h"
    TELNYX_MAIN_INTERPRETER_ONLY(_audio, InitAudio)
    #define PyInit__audio InitAudio  // what Cython defines
    """

cdef extern from "audio/audio_monitor.h" namespace "telnyx" nogil:
    cppclass TapRing:
        pass

    struct Notice:
        int kind
        char value
        uint32_t duration_ms
        uint64_t position
        uint16_t low
        uint16_t high

    struct WordSettings:
        uint16_t enabled
        uint16_t threshold

    struct VoiceSettings:
        uint8_t enabled
        uint8_t aggressiveness
        uint8_t echo_loss
        uint16_t onset
        uint16_t barge_in
        uint16_t hangover

    struct TurnSettings:
        uint16_t enabled
        uint16_t hangover
        uint16_t dead_air

    cppclass AudioMonitor:
        TapRing& taps()
        optional[Notice] TakeNotice()
        void set_tones(cbool)
        void set_voice(VoiceSettings)
        void set_turns(TurnSettings)
        void set_words(WordSettings)
        void set_steady_tones(cbool)

    const int kKeyEvent "telnyx::Notice::kKeyEvent"
    const int kKeyTone "telnyx::Notice::kKeyTone"
    const int kSpeech "telnyx::Notice::kSpeech"
    const int kTurn "telnyx::Notice::kTurn"
    const int kWord "telnyx::Notice::kWord"
    const int kTone "telnyx::Notice::kTone"

cdef extern from "audio/rates.h" namespace "telnyx" nogil:
    const size_t kMaxFrame

cdef extern from "audio/dtmf_detector.h" namespace "telnyx" nogil:
    struct KeyPress:
        char key
        uint32_t duration_ms

    cppclass CppDtmfDetector "telnyx::DtmfDetector":
        CppDtmfDetector(int)
        size_t frame_size()
        optional[KeyPress] Process(const int16_t*)

cdef extern from "audio/steady_tone_detector.h" namespace "telnyx" nogil:
    struct SteadyTone:
        int phase
        uint16_t low
        uint16_t high
        uint32_t began_ago
        uint32_t duration_ticks

    cppclass CppSteadyToneDetector "telnyx::SteadyToneDetector":
        CppSteadyToneDetector(int)
        size_t frame_size()
        optional[SteadyTone] Process(const int16_t*)

cdef extern from "audio/telephone_events.h" namespace "telnyx" nogil:
    cppclass CppTelephoneEvents "telnyx::TelephoneEvents":
        void Insert(uint32_t, int, const uint8_t*, size_t)

cdef extern from *:
    """
    static std::vector<telnyx::KeyPress> Drain(telnyx::TelephoneEvents& events) {
      std::vector<telnyx::KeyPress> keys;
      events.Drain([&keys](const telnyx::KeyPress& key) { keys.push_back(key); });
      return keys;
    }
    """
    vector[KeyPress] drain "Drain"(CppTelephoneEvents&)

cdef extern from "audio/key_merger.h" namespace "telnyx" nogil:
    cppclass CppKeyMerger "telnyx::KeyMerger":
        void OnEventPacket(int64_t)
        cbool AcceptEvent(char, int64_t)
        cbool AcceptTone(char, int64_t)

cdef extern from "audio/tap_reader.h" namespace "telnyx" nogil:
    cppclass TapReader:
        TapReader(TapRing&, TapChannel)
        size_t Read(int16_t*, size_t)
        size_t Readable()
        uint64_t position()
        uint64_t end()
        uint64_t lost()
        size_t channels()

    enum TapChannel "telnyx::TapChannel":
        pass

cdef extern from "audio/packet_ring.h" namespace "telnyx" nogil:
    enum CppPacketCodec "telnyx::PacketCodec":
        pass

    const size_t kMaxPayload "telnyx::PacketRing::kMaxPayload"

    struct PacketHead:
        uint16_t size
        uint16_t sequence_number
        uint8_t payload_type
        CppPacketCodec codec
        uint16_t clock_khz
        uint32_t timestamp
        uint32_t ssrc
        int64_t arrived_us
        uint64_t position

    cppclass PacketRing:
        pass

    cppclass PacketReader:
        PacketReader(PacketRing&)
        cbool Read(PacketHead&, uint8_t*)
        uint64_t position()
        uint64_t end()
        uint64_t lost()

cdef extern from "audio/encodings.h" namespace "telnyx" nogil:
    enum CppEncoding "telnyx::Encoding":
        pass

    CppEncoding kInt16 "telnyx::Encoding::kInt16"
    CppEncoding kFloat32 "telnyx::Encoding::kFloat32"
    CppEncoding kUlaw "telnyx::Encoding::kUlaw"
    CppEncoding kAlaw "telnyx::Encoding::kAlaw"
    size_t WidthOf(CppEncoding)
    void Decode(CppEncoding, const void*, size_t, int16_t*)
    void Encode(CppEncoding, const int16_t*, size_t, void*)

cdef extern from "audio/converter.h" namespace "telnyx" nogil:
    cppclass CppConverter "telnyx::Converter":
        CppConverter(int, int, float, size_t, size_t)
        void Feed(CppEncoding, const void*, size_t)
        void Finish()
        size_t Ready()
        const int16_t* data()
        void Drop(size_t)

cdef extern from "audio/playback_queue.h" namespace "telnyx" nogil:
    cppclass CppQueue "telnyx::PlaybackQueue":
        size_t capacity()
        size_t Write(const int16_t*, size_t)
        size_t Queued()
        size_t Space()
        uint64_t WritePosition()
        uint64_t PlayPosition()
        uint64_t Played()
        size_t Clear()
        void set_paused(cbool)
        cbool paused()
        void set_volume(float)
        float volume()
        void ArmWritable(size_t)
        void ArmDrained(uint64_t)

    cppclass CppLayer "telnyx::PlaybackLayer"(CppQueue):
        void set_ducked(float)
        float ducked()

cdef extern from "audio/audio_port.h" namespace "telnyx" nogil:
    cppclass PortFormat:
        int sample_rate
        size_t playback
        size_t capture
        size_t tap
        size_t max_backlog

    struct PortCounters:
        uint64_t played
        uint64_t cleared
        uint64_t trimmed
        uint64_t silence
        uint64_t underruns
        uint64_t captured
        uint64_t capture_lost
        uint64_t notices_lost

    cppclass CppPort "telnyx::AudioPort":
        CppPort(const PortFormat&)
        int sample_rate()
        size_t frame_size()
        CppQueue& voice()
        CppLayer* OpenLayer()
        CppLayer* OpenSignal()
        void CloseLayer(CppLayer*)
        size_t Read(int16_t*, size_t)
        size_t Readable()
        size_t capture_size()
        void set_muted(cbool)
        cbool muted()
        void set_deaf(cbool)
        cbool deaf()
        void ArmReadable(size_t)
        void ArmTapped(uint64_t)
        void ArmPackets(uint64_t)
        AudioMonitor& monitor()
        PacketRing& packets()
        void PushPacket(PacketHead, const uint8_t*, size_t)
        float received_level()
        float sent_level()
        PortCounters Counters()
        void TakePlayback(int16_t*)
        void ApplyMute(int16_t*)
        void AddSignal(int16_t*)
        void PushCapture(const int16_t*, size_t)
        void Sent(const int16_t*)
        unsigned TakeReadiness()

    const unsigned kReadable "telnyx::AudioPort::kReadable"
    const unsigned kWritable "telnyx::AudioPort::kWritable"
    const unsigned kDrained "telnyx::AudioPort::kDrained"
    const unsigned kTapped "telnyx::AudioPort::kTapped"
    const unsigned kNoticed "telnyx::AudioPort::kNoticed"
    const unsigned kLayers "telnyx::AudioPort::kLayers"
    const unsigned kPackets "telnyx::AudioPort::kPackets"
    const size_t kMaxLayers "telnyx::AudioPort::kMaxLayers"

READABLE = kReadable
WRITABLE = kWritable
DRAINED = kDrained
TAPPED = kTapped
NOTICED = kNoticed
LAYERS = kLayers
PACKETS = kPackets
MAX_LAYERS = kMaxLayers

KEY_EVENT = kKeyEvent
KEY_TONE = kKeyTone
SPEECH = kSpeech
TURN = kTurn
WORD = kWord
TONE = kTone
TONE_BEGAN, TONE_LASTS, TONE_ENDED = range(3)

SAMPLE_RATES = (8000, 16000, 24000, 32000, 48000)

cdef const char* CAPSULE = "telnyx_native.AudioPort"


cdef void free_capsule(object capsule) noexcept:
    cdef shared_ptr[CppPort]* port = <shared_ptr[CppPort]*>PyCapsule_GetPointer(capsule, CAPSULE)
    del port


# How samples in bytes are written down; samples in an array tell by themselves.
INT16, FLOAT32, ULAW, ALAW = range(4)


@cython.final
@cython.freelist(8)
cdef class Samples:
    """A buffer of samples of one channel, for as long as this is there."""

    cdef Py_buffer view
    cdef CppEncoding encoding
    cdef Py_ssize_t count

    def __dealloc__(self):
        PyBuffer_Release(&self.view)

    cdef const void* at(self, Py_ssize_t index) noexcept:
        return <const char*>self.view.buf + index * <Py_ssize_t>WidthOf(self.encoding)


cdef Samples samples_of(buffer, int encoding, int access=0, cbool whole=True):
    """Take a buffer: arrays of 16-bit integers or 32-bit floats are what they are, bytes are as `encoding` says.

    Unless `whole`, bytes may end in the middle of a sample, which does not count. Raises TypeError.
    """
    cdef Samples samples = Samples.__new__(Samples)
    PyObject_GetBuffer(buffer, &samples.view, PyBUF_STRIDES | PyBUF_FORMAT | access)
    cdef Py_buffer* view = &samples.view
    if view.ndim != 1:
        raise TypeError(f"audio is one channel of samples, not an array of {view.ndim} dimensions")
    if view.shape[0] > 1 and view.strides[0] != view.itemsize:
        raise TypeError("audio is samples one after another, not every so many of an array: copy it first")
    cdef const char* kind = view.format
    if kind != NULL and kind[0] in b"@=<":
        kind += 1
    if kind != NULL and (kind[0] == 0 or kind[1] != 0 or kind[0] not in b"hfBc"):
        raise TypeError(
            f"audio is 16-bit integers, 32-bit floats or bytes (bytes, array('h'), numpy.int16, numpy.float32 ...), "
            f"not a buffer of format {(<bytes>view.format).decode()!r}: convert it first"
        )
    if kind == NULL or kind[0] in b"Bc":
        samples.encoding = <CppEncoding>encoding
    else:
        samples.encoding = kFloat32 if kind[0] == b"f" else kInt16
    cdef Py_ssize_t width = <Py_ssize_t>WidthOf(samples.encoding)
    if whole and view.len % width:
        raise TypeError(f"a sample has {width} bytes, and this buffer {view.len}: there is a part of one")
    samples.count = view.len // width
    return samples


def samples_in(buffer, int encoding):
    """How many samples a buffer holds; raises TypeError when it holds something else."""
    return samples_of(buffer, encoding).count


cdef bytes encoded(const int16_t* samples, size_t count, CppEncoding encoding):
    cdef bytes out = PyBytes_FromStringAndSize(NULL, count * WidthOf(encoding))
    Encode(encoding, samples, count, PyBytes_AS_STRING(out))
    return out


def encode(bytes pcm, int encoding):
    """16-bit samples in another encoding."""
    return encoded(<const int16_t*>PyBytes_AS_STRING(pcm), len(pcm) // 2, <CppEncoding>encoding)


cdef class PlaybackQueue:
    """Audio that waits to be played. Made by AudioPort, which is one itself: for speech."""

    cdef shared_ptr[CppPort] _port
    cdef CppQueue* _queue

    @property
    def playback_size(self):
        return self._queue.capacity()

    def write(self, pcm, Py_ssize_t start=0, int encoding=0):
        """Queue `pcm` from sample `start` on, as much as there is room for; how many samples that were."""
        cdef Samples samples = samples_of(pcm, encoding)
        if start < 0 or start > samples.count:
            raise ValueError(f"start {start} is outside a buffer of {samples.count} samples")
        if samples.encoding == kInt16:
            return self._queue.Write(<const int16_t*>samples.at(start), samples.count - start)
        cdef size_t left = min(<size_t>(samples.count - start), self._queue.Space())
        cdef size_t written = 0, piece
        cdef int16_t[kMaxFrame] frame
        while written < left:
            piece = min(left - written, <size_t>kMaxFrame)
            Decode(samples.encoding, samples.at(start + written), piece, frame)
            written += self._queue.Write(frame, piece)
        return written

    def write_converted(self, Converter converter):
        """Queue what a converter has ready, as much as there is room for; how many samples that were."""
        cdef size_t written = self._queue.Write(converter._converter.get().data(), converter._converter.get().Ready())
        converter._converter.get().Drop(written)
        return written

    def clear(self):
        """Drop what is queued; how many samples that were."""
        return self._queue.Clear()

    @property
    def queued(self):
        return self._queue.Queued()

    @property
    def space(self):
        return self._queue.Space()

    @property
    def write_position(self):
        return self._queue.WritePosition()

    @property
    def play_position(self):
        return self._queue.PlayPosition()

    @property
    def played(self):
        return self._queue.Played()

    @property
    def paused(self):
        return self._queue.paused()

    @paused.setter
    def paused(self, cbool paused):
        self._queue.set_paused(paused)

    @property
    def volume(self):
        return self._queue.volume()

    @volume.setter
    def volume(self, float volume):
        self._queue.set_volume(volume)

    def arm_writable(self, size_t samples):
        """Have the clock report WRITABLE once that many samples can be written; 0 disarms."""
        self._queue.ArmWritable(samples)

    def arm_drained(self, uint64_t position):
        """Have the clock report DRAINED once playback has reached `position`; 0 disarms."""
        self._queue.ArmDrained(position)


cdef class PlaybackLayer(PlaybackQueue):
    """A queue beside the one for speech. Of both kinds of readiness the clock reports LAYERS."""

    cdef CppLayer* _layer

    def __init__(self, AudioPort port, cbool over_mute=False):
        """There are `MAX_LAYERS`, and one that is heard also while the port is muted."""
        self._layer = port._port.get().OpenSignal() if over_mute else port._port.get().OpenLayer()
        if self._layer == NULL:
            raise ValueError(f"there are {1 if over_mute else MAX_LAYERS} layers already")
        self._port = port._port
        self._queue = self._layer

    def close(self):
        """End it; another layer may use its place. Only once, and nothing afterwards."""
        self._port.get().CloseLayer(self._layer)

    @property
    def ducked(self):
        return self._layer.ducked()

    @ducked.setter
    def ducked(self, float gain):
        self._layer.set_ducked(gain)


cdef class AudioPort(PlaybackQueue):
    """The queues between an application and the media clock. Mono 16-bit PCM."""

    def __init__(self, int sample_rate, size_t playback, size_t capture, size_t max_backlog=0, size_t tap=0):
        """Sizes are in samples; `max_backlog` 0 keeps all that is written."""
        if sample_rate not in SAMPLE_RATES:
            raise ValueError(f"sample rate {sample_rate} is not one of {SAMPLE_RATES}")
        cdef PortFormat format
        format.sample_rate = sample_rate
        format.playback = max(playback, <size_t>(sample_rate // 100))
        format.capture = max(capture, <size_t>(sample_rate // 100))
        format.tap = max(tap, <size_t>(sample_rate // 100))
        format.max_backlog = max_backlog
        self._port = make_shared[CppPort](format)
        self._queue = &self._port.get().voice()

    @property
    def sample_rate(self):
        return self._port.get().sample_rate()

    @property
    def capture_size(self):
        return self._port.get().capture_size()

    def read(self, size_t samples, int encoding=0):
        """Up to `samples` received samples as bytes, at once."""
        samples = min(samples, self._port.get().Readable())
        cdef bytes pcm = PyBytes_FromStringAndSize(NULL, samples * WidthOf(<CppEncoding>encoding))
        cdef size_t taken = self._read(PyBytes_AS_STRING(pcm), samples, <CppEncoding>encoding)
        return pcm if taken == samples else pcm[:taken * WidthOf(<CppEncoding>encoding)]

    def readinto(self, buffer, int encoding=0, bytes begun=b""):
        """Fill a writable buffer with what was received, after the 16-bit samples `begun`; how many samples in all."""
        cdef Samples samples = samples_of(buffer, encoding, PyBUF_WRITABLE)
        cdef size_t first = min(<size_t>(len(begun) // 2), <size_t>samples.count)
        cdef char* out = <char*>samples.view.buf
        Encode(samples.encoding, <const int16_t*>PyBytes_AS_STRING(begun), first, out)
        return first + self._read(out + first * WidthOf(samples.encoding), samples.count - first, samples.encoding)

    cdef size_t _read(self, char* out, size_t count, CppEncoding encoding):
        if encoding == kInt16:
            return self._port.get().Read(<int16_t*>out, count)
        cdef size_t done = 0, piece
        cdef int16_t[kMaxFrame] frame
        while done < count:
            piece = self._port.get().Read(frame, min(count - done, <size_t>kMaxFrame))
            if piece == 0:
                break
            Encode(encoding, frame, piece, out + done * WidthOf(encoding))
            done += piece
        return done

    @property
    def readable(self):
        return self._port.get().Readable()

    @property
    def muted(self):
        return self._port.get().muted()

    @muted.setter
    def muted(self, cbool muted):
        self._port.get().set_muted(muted)

    @property
    def deaf(self):
        return self._port.get().deaf()

    @deaf.setter
    def deaf(self, cbool deaf):
        self._port.get().set_deaf(deaf)

    @property
    def received_level(self):
        """The mean square of what was received in the last tenth of a second, about."""
        return self._port.get().received_level()

    @property
    def sent_level(self):
        return self._port.get().sent_level()

    def arm_readable(self, size_t samples):
        """Have the clock report READABLE once that many samples can be read; 0 disarms."""
        self._port.get().ArmReadable(samples)

    def arm_tapped(self, uint64_t position):
        """Have the clock report TAPPED once taps have seen `position`; 0 disarms."""
        self._port.get().ArmTapped(position)

    def arm_packets(self, uint64_t position):
        """Have the clock report PACKETS once packets have reached `position`; 0 disarms."""
        self._port.get().ArmPackets(position)

    def listen_for_tones(self, cbool wanted):
        """Whether DTMF keys are looked for in the received sound."""
        self._port.get().monitor().set_tones(wanted)

    def listen_for_speech(
        self, cbool wanted, int aggressiveness, int onset, int hangover, int barge_in, int echo_loss
    ):
        """Whether speech is looked for, and how; times are in ticks of 10 ms, and `echo_loss` in dB."""
        cdef VoiceSettings settings
        settings.enabled = wanted
        settings.aggressiveness = aggressiveness
        settings.onset = onset
        settings.hangover = hangover
        settings.barge_in = barge_in
        settings.echo_loss = echo_loss
        self._port.get().monitor().set_voice(settings)

    def follow_turns(self, cbool wanted, int hangover, int dead_air):
        """Whether is told who begins and ends to speak, on either side; times are in ticks of 10 ms."""
        cdef TurnSettings settings
        settings.enabled = wanted
        settings.hangover = hangover
        settings.dead_air = dead_air
        self._port.get().monitor().set_turns(settings)

    def listen_for_words(self, cbool wanted, int threshold):
        """Whether words are looked for; `threshold` is the least mean amplitude of one, of 32,767."""
        cdef WordSettings settings
        settings.enabled = wanted
        settings.threshold = threshold
        self._port.get().monitor().set_words(settings)

    def listen_for_steady_tones(self, cbool wanted):
        """Whether tones that keep their frequencies are looked for."""
        self._port.get().monitor().set_steady_tones(wanted)

    def take_notices(self):
        """What was heard since the last time, oldest first.

        Each is (kind, value, duration in ms, sample where it began, lower frequency, higher frequency).
        """
        notices = []
        cdef optional[Notice] notice = self._port.get().monitor().TakeNotice()
        while notice.has_value():
            notices.append((
                notice.value().kind, notice.value().value, notice.value().duration_ms, notice.value().position,
                notice.value().low, notice.value().high,
            ))
            notice = self._port.get().monitor().TakeNotice()
        return notices

    def counters(self):
        """The port's counters by name, in samples unless the name says otherwise."""
        cdef PortCounters counters = self._port.get().Counters()
        return counters

    def tick(self, bytes received=None):
        """Do by hand what the media clock does every 10 ms: deliver a received frame, take the frame to send."""
        cdef int16_t[kMaxFrame] frame
        cdef size_t size = self._port.get().frame_size()
        if received is not None:
            if len(received) != size * 2:
                raise ValueError(f"a frame is {size} samples here")
            self._port.get().PushCapture(<const int16_t*>PyBytes_AS_STRING(received), size)
        self._port.get().TakePlayback(frame)
        self._port.get().ApplyMute(frame)
        self._port.get().AddSignal(frame)
        self._port.get().Sent(frame)
        return PyBytes_FromStringAndSize(<const char*>frame, size * 2)

    def take_packet(self, int codec, int sequence_number, uint32_t timestamp, bytes payload, int clock_rate=48000):
        """Do by hand what the network thread does with a received packet that somebody wants."""
        cdef PacketHead head
        head.sequence_number = sequence_number
        head.payload_type = 0
        head.codec = <CppPacketCodec>codec
        head.clock_khz = clock_rate // 1000
        head.timestamp = timestamp
        head.ssrc = 0
        head.arrived_us = 0
        self._port.get().PushPacket(head, <const uint8_t*>PyBytes_AS_STRING(payload), len(payload))

    def take_readiness(self):
        """What of that which is armed holds now, by hand; in a call the media clock reports it."""
        return self._port.get().TakeReadiness()

    def capsule(self):
        """This port for telnyx_native._webrtc, which shares its ownership."""
        return PyCapsule_New(new shared_ptr[CppPort](self._port), CAPSULE, free_capsule)


cdef class Tap:
    """A reader of what an AudioPort receives (0), sends (1), or both, interleaved (2), from now on."""

    cdef shared_ptr[CppPort] _port
    cdef unique_ptr[TapReader] _reader
    cdef uint64_t _lost

    def __init__(self, AudioPort port, int channel):
        self._port = port._port
        self._reader.reset(new TapReader(self._port.get().monitor().taps(), <TapChannel>channel))

    def __dealloc__(self):
        self._reader.reset()  # before the port that it reads

    def close(self):
        """Read no more."""
        self._lost = self.lost
        self._reader.reset()

    def read(self, size_t samples):
        """Up to `samples` a channel as bytes, at once."""
        if not self._reader:
            return b""
        cdef TapReader* reader = self._reader.get()
        samples = min(samples, reader.Readable())
        cdef size_t width = 2 * reader.channels()
        cdef bytes pcm = PyBytes_FromStringAndSize(NULL, samples * width)
        cdef size_t taken = reader.Read(<int16_t*>PyBytes_AS_STRING(pcm), samples)
        return pcm if taken == samples else pcm[:taken * width]

    @property
    def position(self):
        return self._reader.get().position() if self._reader else 0

    @property
    def end(self):
        return self._reader.get().end() if self._reader else 0

    @property
    def lost(self):
        return self._reader.get().lost() if self._reader else self._lost


cdef class PacketTap:
    """A reader of the packets that an AudioPort receives, from now on."""

    cdef shared_ptr[CppPort] _port
    cdef unique_ptr[PacketReader] _reader
    cdef uint64_t _lost

    def __init__(self, AudioPort port):
        self._port = port._port
        self._reader.reset(new PacketReader(self._port.get().packets()))

    def __dealloc__(self):
        self._reader.reset()  # before the port that it reads

    def close(self):
        """Read no more."""
        self._lost = self.lost
        self._reader.reset()

    def read(self):
        """The next packet: payload, codec, payload type, clock rate, sequence number, timestamp, SSRC, arrival in
        microseconds, and the samples that were received by then; None if there is none."""
        cdef PacketHead head
        cdef uint8_t[kMaxPayload] payload
        if not self._reader or not self._reader.get().Read(head, payload):
            return None
        return (
            PyBytes_FromStringAndSize(<const char*>payload, head.size), <int>head.codec, head.payload_type,
            1000 * head.clock_khz, head.sequence_number, head.timestamp, head.ssrc, head.arrived_us, head.position,
        )

    @property
    def position(self):
        return self._reader.get().position() if self._reader else 0

    @property
    def end(self):
        return self._reader.get().end() if self._reader else 0

    @property
    def lost(self):
        return self._reader.get().lost() if self._reader else self._lost


cdef class Converter:
    """Makes 16-bit samples of a call's rate of samples that come in pieces: resampled, scaled and faded."""

    cdef unique_ptr[CppConverter] _converter
    cdef bytes _rest

    def __init__(self, int from_rate, int to_rate, float volume=1.0, size_t fade_in=0, size_t fade_out=0):
        """Fades are in samples of the output; as many are kept back until the end."""
        if not 1000 <= from_rate <= 384_000:
            raise ValueError(f"a sample rate is between 1000 and 384000 Hz, not {from_rate}")
        self._converter.reset(new CppConverter(from_rate, to_rate, volume, fade_in, fade_out))
        self._rest = b""

    def feed(self, pcm, int encoding=0):
        """Take the next samples. Bytes may be cut anywhere: the rest of a sample comes with the next ones."""
        if self._rest:
            pcm = self._rest + bytes(pcm)
            self._rest = b""
        cdef Samples samples = samples_of(pcm, encoding, 0, False)
        self._converter.get().Feed(samples.encoding, samples.view.buf, samples.count)
        cdef size_t used = samples.count * WidthOf(samples.encoding)
        if used < <size_t>samples.view.len:
            self._rest = PyBytes_FromStringAndSize(<const char*>samples.view.buf + used, samples.view.len - used)

    def finish(self):
        """There is no more."""
        self._converter.get().Finish()

    @property
    def ready(self):
        """How many samples can be taken."""
        return self._converter.get().Ready()

    def take(self):
        """All that is ready, as bytes."""
        cdef size_t count = self._converter.get().Ready()
        cdef bytes out = PyBytes_FromStringAndSize(<const char*>self._converter.get().data(), 2 * count)
        self._converter.get().Drop(count)
        return out


cdef class DtmfDetector:
    """Finds DTMF keys in PCM, 10 ms at a time."""

    cdef unique_ptr[CppDtmfDetector] _detector
    cdef bytes _rest

    def __init__(self, int sample_rate):
        if sample_rate not in SAMPLE_RATES:
            raise ValueError(f"sample rate {sample_rate} is not one of {SAMPLE_RATES}")
        self._detector.reset(new CppDtmfDetector(sample_rate))
        self._rest = b""

    def feed(self, pcm):
        """Take the next samples; the keys that were let go in them, as (key, milliseconds)."""
        cdef Samples fed = samples_of(pcm, INT16)
        if fed.encoding != kInt16:
            raise TypeError("the detector takes 16-bit samples")
        self._rest += PyBytes_FromStringAndSize(<const char*>fed.view.buf, fed.view.len)
        cdef size_t width = 2 * self._detector.get().frame_size()
        cdef const char* samples = PyBytes_AS_STRING(self._rest)
        cdef size_t done = 0
        cdef optional[KeyPress] press
        keys = []
        while done + width <= <size_t>len(self._rest):
            press = self._detector.get().Process(<const int16_t*>(samples + done))
            if press.has_value():
                keys.append((chr(press.value().key), press.value().duration_ms))
            done += width
        self._rest = self._rest[done:]
        return keys


cdef class SteadyToneDetector:
    """Finds tones that keep their frequencies in PCM, 10 ms at a time."""

    cdef unique_ptr[CppSteadyToneDetector] _detector

    def __init__(self, int sample_rate):
        if sample_rate not in SAMPLE_RATES:
            raise ValueError(f"sample rate {sample_rate} is not one of {SAMPLE_RATES}")
        self._detector.reset(new CppSteadyToneDetector(sample_rate))

    def process(self, frame):
        """Take the next 10 ms; what is new of a tone, or None.

        It is (phase, milliseconds since it began, its duration in ms, lower frequency, higher frequency or 0).
        """
        cdef Samples fed = samples_of(frame, INT16)
        if fed.encoding != kInt16 or <size_t>fed.count != self._detector.get().frame_size():
            raise TypeError(f"the detector takes {self._detector.get().frame_size()} 16-bit samples")
        cdef optional[SteadyTone] tone = self._detector.get().Process(<const int16_t*>fed.view.buf)
        if not tone.has_value():
            return None
        return (
            tone.value().phase, 10 * tone.value().began_ago, 10 * tone.value().duration_ticks,
            tone.value().low, tone.value().high,
        )


cdef class TelephoneEvents:
    """The keys of a stream of telephone-events, by hand; in a call the jitter buffer does it."""

    cdef CppTelephoneEvents _events

    def insert(self, uint32_t timestamp, bytes payload, int clock_rate=8000):
        """Take one packet."""
        self._events.Insert(timestamp, clock_rate, <const uint8_t*>PyBytes_AS_STRING(payload), len(payload))

    def tick(self):
        """Let 10 ms pass; the keys that are over, as (key, milliseconds)."""
        return [(chr(key.key), key.duration_ms) for key in drain(self._events)]


cdef class KeyMerger:
    """Which keys count, by hand; in a call the media clock does it. Times are in ticks of 10 ms."""

    cdef CppKeyMerger _merger

    def on_event_packet(self, int64_t tick):
        self._merger.OnEventPacket(tick)

    def accept_event(self, str key, int64_t tick):
        return self._merger.AcceptEvent(ord(key), tick)

    def accept_tone(self, str key, int64_t tick):
        return self._merger.AcceptTone(ord(key), tick)
