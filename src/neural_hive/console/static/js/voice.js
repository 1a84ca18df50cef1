// Hold to talk: record while the button is held (or between two short presses), send, go to the case.
'use strict';
(() => {
  const SHORT_PRESS_MS = 350;
  const MAX_RECORDING_MS = 120000;
  const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];

  const start = (button) => {
    const status = document.getElementById('talk-status');
    let recorder = null;
    let isWanted = false;
    let pressedAt = 0;
    let frame = 0;
    const say = (text) => { status.textContent = text; };
    const label = (text) => { button.querySelector('span').textContent = text; };

    const watchLevel = (stream) => {
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(stream).connect(analyser);
      const samples = new Uint8Array(analyser.fftSize);
      const draw = () => {
        analyser.getByteTimeDomainData(samples);
        const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample - 128)), 0);
        button.style.setProperty('--level', String(Math.min(loudest / 64, 1)));
        frame = requestAnimationFrame(draw);
      };
      draw();
      return () => { cancelAnimationFrame(frame); context.close(); };
    };

    const send = async (chunks, type) => {
      button.disabled = true;
      say(button.dataset.hearing);
      const headers = { 'Content-Type': type.split(';')[0], Prefer: 'respond-async' };
      try {
        const answer = await fetch('/api/v1/intents/voice', { method: 'POST', body: new Blob(chunks, { type }), headers });
        const body = await answer.json();
        if (!answer.ok) throw new Error(body.title);
        window.location.assign(`/cases/${body.id}`);
      } catch {
        say(button.dataset.failed);
        button.disabled = false;
      }
    };

    const record = async () => {
      isWanted = true;
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
      } catch {
        say(button.dataset.denied);
        return;
      }
      const type = TYPES.find((candidate) => MediaRecorder.isTypeSupported(candidate)) || '';
      recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
      const chunks = [];
      const stopWatching = watchLevel(stream);
      const limit = setTimeout(() => finish(), MAX_RECORDING_MS);
      recorder.ondataavailable = (event) => chunks.push(event.data);
      recorder.onstop = () => {
        clearTimeout(limit);
        stopWatching();
        for (const track of stream.getTracks()) track.stop();
        button.classList.remove('recording');
        button.setAttribute('aria-pressed', 'false');
        label(button.dataset.hold);
        send(chunks, recorder.mimeType || 'audio/webm');
        recorder = null;
      };
      recorder.start();
      button.classList.add('recording');
      button.setAttribute('aria-pressed', 'true');
      label(button.dataset.listening);
      if (!isWanted) finish();
    };

    const finish = () => { isWanted = false; if (recorder?.state === 'recording') recorder.stop(); };
    const press = () => {
      if (button.disabled) return;
      if (recorder) { finish(); pressedAt = 0; return; }
      pressedAt = performance.now();
      record();
    };
    const release = () => { if (pressedAt && performance.now() - pressedAt > SHORT_PRESS_MS) finish(); };

    button.addEventListener('pointerdown', (event) => { button.setPointerCapture(event.pointerId); press(); });
    button.addEventListener('pointerup', release);
    button.addEventListener('pointercancel', finish);
    button.addEventListener('keydown', (event) => {
      if ((event.key === ' ' || event.key === 'Enter') && !event.repeat) { event.preventDefault(); press(); }
    });
    button.addEventListener('keyup', (event) => { if (event.key === ' ' || event.key === 'Enter') release(); });
    button.hidden = false;
  };

  const offer = async () => {
    const button = document.getElementById('talk');
    if (!button || button.dataset.ready || !navigator.mediaDevices?.getUserMedia || typeof MediaRecorder === 'undefined') return;
    button.dataset.ready = 'yes';
    const permission = await navigator.permissions?.query({ name: 'microphone' }).catch(() => null);
    if (permission?.state !== 'denied') start(button);
  };
  document.body.addEventListener('htmx:load', offer);
})();
