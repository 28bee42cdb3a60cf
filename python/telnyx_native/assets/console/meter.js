// How loud a stream is, 0 to 1, from moment to moment.

let context = null;

export class Meter {
  #analyser;
  #source;
  #samples = new Float32Array(1024);

  constructor(stream) {
    context ??= new AudioContext();
    context.resume(); // browsers keep it silent before the first click
    this.#analyser = new AnalyserNode(context, { fftSize: this.#samples.length });
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  // The level in decibels, -60 to 0 as 0 to 1.
  get level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return scale(Math.sqrt(power));
  }

  close() {
    this.#source.disconnect();
  }
}

// Shows a level in an element of class "level".
export function showLevel(bar, level) {
  bar.firstElementChild.style.transform = `scaleX(${level})`;
  bar.ariaValueNow = level.toFixed(2);
}

// An amplitude (0 to 1) as the length of a meter (0 to 1): 60 dB.
export function scale(amplitude) {
  return Math.max(0, 1 + Math.log10(Math.max(amplitude, 1e-6)) / 3);
}
