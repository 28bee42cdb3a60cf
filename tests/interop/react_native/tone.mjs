// A microphone that hears a tone, and an ear for tones, on Node.

import wrtc from "@roamhq/wrtc";

const RATE = 48_000;
const FRAMES = RATE / 100;

/** A microphone that hears a sine tone. */
export function toneTrack(hz) {
  const source = new wrtc.nonstandard.RTCAudioSource();
  let sample = 0;
  const started = process.hrtime.bigint();
  const timer = setInterval(() => {
    const due = Number((process.hrtime.bigint() - started) / 1_000_000n) * (RATE / 1000);
    for (; sample < due; sample += FRAMES) {
      const samples = new Int16Array(FRAMES);
      for (let i = 0; i < FRAMES; i++) {
        samples[i] = 8000 * Math.sin((2 * Math.PI * hz * (sample + i)) / RATE);
      }
      source.onData({ samples, sampleRate: RATE, bitsPerSample: 16, channelCount: 1, numberOfFrames: FRAMES });
    }
  }, 10);
  timer.unref();
  return source.createTrack();
}

/** The loudest frequency of the next `seconds` of a track, to the nearest of `choices`; 0 for silence. */
export function loudest(track, choices, seconds = 0.4) {
  return new Promise((resolve) => {
    const sink = new wrtc.nonstandard.RTCAudioSink(track);
    const waves = choices.map((hz) => ({ hz, sine: 0, cosine: 0 }));
    let [heard, energy] = [0, 0];
    sink.ondata = ({ samples, sampleRate, channelCount }) => {
      for (let i = 0; i < samples.length; i += channelCount, heard++) {
        energy += samples[i] ** 2;
        for (const wave of waves) {
          const angle = (2 * Math.PI * wave.hz * heard) / sampleRate;
          wave.sine += samples[i] * Math.sin(angle);
          wave.cosine += samples[i] * Math.cos(angle);
        }
      }
      if (heard < seconds * sampleRate) return;
      sink.stop();
      const share = ({ sine, cosine }) => (2 * (sine ** 2 + cosine ** 2)) / (heard * energy);
      const best = waves.reduce((one, other) => (share(one) > share(other) ? one : other));
      resolve(Math.sqrt(energy / heard) > 300 && share(best) > 0.8 ? best.hz : 0);
    };
  });
}
