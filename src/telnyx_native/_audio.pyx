# cython: language_level=3, freethreading_compatible=True
# distutils: language = c++
"""The audio data plane: how Python writes and reads the PCM of a call. Private; see telnyx_native.media.stream."""

from cpython.buffer cimport (
    PyBUF_CONTIG, PyBUF_CONTIG_RO, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int16_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport make_shared, shared_ptr

cdef extern from "audio/audio_port.h" namespace "telnyx" nogil:
    cppclass PortFormat:
        int sample_rate
        size_t playback
        size_t capture
        size_t max_backlog

    struct PortCounters:
        uint64_t played
        uint64_t cleared
        uint64_t trimmed
        uint64_t silence
        uint64_t underruns
        uint64_t captured
        uint64_t capture_lost

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
        PortCounters Counters()
        void TakePlayback(int16_t*)
        void PushCapture(const int16_t*, size_t)

    const size_t kMaxFrame "telnyx::AudioPort::kMaxFrame"
    const unsigned kReadable "telnyx::AudioPort::kReadable"
    const unsigned kWritable "telnyx::AudioPort::kWritable"
    const unsigned kDrained "telnyx::AudioPort::kDrained"

READABLE = kReadable
WRITABLE = kWritable
DRAINED = kDrained

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

    def __init__(self, int sample_rate, size_t playback, size_t capture, size_t max_backlog=0):
        """Sizes are in samples; `max_backlog` 0 keeps all that is written."""
        if sample_rate not in SAMPLE_RATES:
            raise ValueError(f"sample rate {sample_rate} is not one of {SAMPLE_RATES}")
        cdef PortFormat format
        format.sample_rate = sample_rate
        format.playback = max(playback, <size_t>(sample_rate // 100))
        format.capture = max(capture, <size_t>(sample_rate // 100))
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
        return PyBytes_FromStringAndSize(<const char*>frame, size * 2)

    def capsule(self):
        """This port for telnyx_native._webrtc, which shares its ownership."""
        return PyCapsule_New(new shared_ptr[CppPort](self._port), CAPSULE, free_capsule)
