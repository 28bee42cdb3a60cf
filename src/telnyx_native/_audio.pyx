# cython: language_level=3, freethreading_compatible=True
# distutils: language = c++
"""The audio data plane: how Python writes and reads the PCM of a call. Private; see telnyx_native.media.stream."""

from cpython.buffer cimport (
    PyBUF_CONTIG, PyBUF_CONTIG_RO, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr, unique_ptr
from libcpp.optional cimport optional
from libcpp.vector cimport vector

cdef extern from "audio/listening.h" namespace "telnyx" nogil:
    cppclass TapRing:
        pass

    struct Notice:
        int kind
        char value
        uint32_t duration_ms
        uint64_t position

    struct VoiceSettings:
        uint8_t enabled
        uint8_t aggressiveness
        uint16_t onset
        uint16_t hangover

    cppclass Listening:
        TapRing& taps()
        optional[Notice] TakeNotice()
        void set_tones(cbool)
        void set_voice(VoiceSettings)

    const int kKeyEvent "telnyx::Notice::kKeyEvent"
    const int kKeyTone "telnyx::Notice::kKeyTone"
    const int kSpeech "telnyx::Notice::kSpeech"

cdef extern from "audio/dtmf_detector.h" namespace "telnyx" nogil:
    struct KeyPress:
        char key
        uint32_t duration_ms

    cppclass CppDtmfDetector "telnyx::DtmfDetector":
        CppDtmfDetector(int)
        size_t frame_size()
        optional[KeyPress] Process(const int16_t*)

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
        size_t Write(const int16_t*, size_t)
        size_t Read(int16_t*, size_t)
        size_t Queued()
        size_t Space()
        size_t Readable()
        size_t playback_size()
        size_t capture_size()
        uint64_t WritePosition()
        uint64_t PlayPosition()
        uint64_t Played()
        size_t Clear()
        void set_muted(cbool)
        cbool muted()
        void ArmReadable(size_t)
        void ArmWritable(size_t)
        void ArmDrained(uint64_t)
        void ArmTapped(uint64_t)
        Listening& listening()
        PortCounters Counters()
        void TakePlayback(int16_t*)
        void PushCapture(const int16_t*, size_t)
        void Sent(const int16_t*)

    const size_t kMaxFrame "telnyx::AudioPort::kMaxFrame"
    const unsigned kReadable "telnyx::AudioPort::kReadable"
    const unsigned kWritable "telnyx::AudioPort::kWritable"
    const unsigned kDrained "telnyx::AudioPort::kDrained"
    const unsigned kTapped "telnyx::AudioPort::kTapped"
    const unsigned kNoticed "telnyx::AudioPort::kNoticed"

READABLE = kReadable
WRITABLE = kWritable
DRAINED = kDrained
TAPPED = kTapped
NOTICED = kNoticed

KEY_EVENT = kKeyEvent
KEY_TONE = kKeyTone
SPEECH = kSpeech

SAMPLE_RATES = (8000, 16000, 24000, 32000, 48000)

cdef const char* CAPSULE = "telnyx_native.AudioPort"


cdef void free_capsule(object capsule) noexcept:
    cdef shared_ptr[CppPort]* port = <shared_ptr[CppPort]*>PyCapsule_GetPointer(capsule, CAPSULE)
    del port


cdef Py_ssize_t samples_in(Py_buffer* view) except -1:
    """How many 16-bit samples a buffer holds; raises TypeError when it holds something else."""
    cdef const char* kind = view.format
    if kind != NULL and kind[0] in b"@=<":
        kind += 1
    if kind != NULL and (kind[0] == 0 or kind[1] != 0 or kind[0] not in b"hBbc"):
        raise TypeError(
            f"audio is 16-bit samples (bytes, array('h'), numpy.int16 ...), not a buffer of format "
            f"{(<bytes>view.format).decode()!r}; convert it first"
        )
    if view.len % 2:
        raise TypeError(f"16-bit audio has an even number of bytes, this buffer has {view.len}")
    return view.len // 2


cdef class AudioPort:
    """The queues between an application and the media clock. Mono 16-bit PCM."""

    cdef shared_ptr[CppPort] _port

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

    @property
    def sample_rate(self):
        return self._port.get().sample_rate()

    @property
    def playback_size(self):
        return self._port.get().playback_size()

    @property
    def capture_size(self):
        return self._port.get().capture_size()

    def write(self, pcm, Py_ssize_t start=0):
        """Queue `pcm` from sample `start` on, as much as there is room for; how many samples that were."""
        cdef Py_buffer view
        cdef Py_ssize_t count
        PyObject_GetBuffer(pcm, &view, PyBUF_CONTIG_RO | PyBUF_FORMAT)
        try:
            count = samples_in(&view)
            if start < 0 or start > count:
                raise ValueError(f"start {start} is outside a buffer of {count} samples")
            return self._port.get().Write(<const int16_t*>view.buf + start, count - start)
        finally:
            PyBuffer_Release(&view)

    def read(self, size_t samples):
        """Up to `samples` received samples as bytes, at once."""
        samples = min(samples, self._port.get().Readable())
        cdef bytes pcm = PyBytes_FromStringAndSize(NULL, samples * 2)
        cdef size_t taken = self._port.get().Read(<int16_t*>PyBytes_AS_STRING(pcm), samples)
        return pcm if taken == samples else pcm[:taken * 2]

    def readinto(self, buffer):
        """Fill a writable buffer of 16-bit samples with what was received; how many samples that were."""
        cdef Py_buffer view
        PyObject_GetBuffer(buffer, &view, PyBUF_CONTIG | PyBUF_FORMAT)
        try:
            return self._port.get().Read(<int16_t*>view.buf, samples_in(&view))
        finally:
            PyBuffer_Release(&view)

    def clear(self):
        """Drop what is queued; how many samples that were."""
        return self._port.get().Clear()

    @property
    def queued(self):
        return self._port.get().Queued()

    @property
    def space(self):
        return self._port.get().Space()

    @property
    def readable(self):
        return self._port.get().Readable()

    @property
    def write_position(self):
        return self._port.get().WritePosition()

    @property
    def play_position(self):
        return self._port.get().PlayPosition()

    @property
    def played(self):
        return self._port.get().Played()

    @property
    def muted(self):
        return self._port.get().muted()

    @muted.setter
    def muted(self, cbool muted):
        self._port.get().set_muted(muted)

    def arm_readable(self, size_t samples):
        """Have the clock report READABLE once that many samples can be read; 0 disarms."""
        self._port.get().ArmReadable(samples)

    def arm_writable(self, size_t samples):
        """Have the clock report WRITABLE once that many samples can be written; 0 disarms."""
        self._port.get().ArmWritable(samples)

    def arm_drained(self, uint64_t position):
        """Have the clock report DRAINED once playback has reached `position`; 0 disarms."""
        self._port.get().ArmDrained(position)

    def arm_tapped(self, uint64_t position):
        """Have the clock report TAPPED once taps have seen `position`; 0 disarms."""
        self._port.get().ArmTapped(position)

    def listen_for_tones(self, cbool wanted):
        """Whether DTMF keys are looked for in the received sound."""
        self._port.get().listening().set_tones(wanted)

    def listen_for_speech(self, cbool wanted, int aggressiveness, int onset, int hangover):
        """Whether speech is looked for, and how; `onset` and `hangover` are in ticks of 10 ms."""
        cdef VoiceSettings settings
        settings.enabled = wanted
        settings.aggressiveness = aggressiveness
        settings.onset = onset
        settings.hangover = hangover
        self._port.get().listening().set_voice(settings)

    def take_notices(self):
        """What was heard since the last time, oldest first, as (kind, value, duration in ms, sample where it began)."""
        notices = []
        cdef optional[Notice] notice = self._port.get().listening().TakeNotice()
        while notice.has_value():
            notices.append((
                notice.value().kind, notice.value().value, notice.value().duration_ms, notice.value().position
            ))
            notice = self._port.get().listening().TakeNotice()
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
        self._port.get().Sent(frame)
        return PyBytes_FromStringAndSize(<const char*>frame, size * 2)

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
        self._reader.reset(new TapReader(self._port.get().listening().taps(), <TapChannel>channel))

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
        cdef Py_buffer view
        PyObject_GetBuffer(pcm, &view, PyBUF_CONTIG_RO | PyBUF_FORMAT)
        try:
            samples_in(&view)
            self._rest += PyBytes_FromStringAndSize(<const char*>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)
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
