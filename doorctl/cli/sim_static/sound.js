// The buzzer's wire made audible, if that is wanted: a tone for as long as the wire is high.

const playing = new Map();
let context;
let wanted = false;

export function wantSound(on) {
  wanted = on;
  if (on) context ??= new AudioContext();
  if (!on) for (const name of [...playing.keys()]) stop(name);
}

export function sound(name, on) {
  if (!on || !wanted) {
    stop(name);
  } else if (!playing.has(name)) {
    const tone = new OscillatorNode(context, { type: "square", frequency: 2400 });
    tone.connect(new GainNode(context, { gain: 0.04 })).connect(context.destination);
    tone.start();
    playing.set(name, tone);
  }
}

function stop(name) {
  playing.get(name)?.stop();
  playing.delete(name);
}
