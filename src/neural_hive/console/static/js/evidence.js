// A finding lights up the words that it quotes, on hover, on focus and on touch.
'use strict';
(() => {
  const light = (ref, on) => {
    const words = document.querySelectorAll(`#asked [data-refs~="${CSS.escape(ref)}"]`);
    for (const word of words) word.classList.toggle('lit', on);
  };
  let pinned = null;
  const release = () => {
    if (!pinned) return;
    pinned.setAttribute('aria-pressed', 'false');
    light(pinned.dataset.evidence, false);
    pinned = null;
  };
  const source = (event) => (event.target instanceof Element ? event.target.closest('[data-evidence]') : null);
  const follow = (type, on) => document.addEventListener(type, (event) => {
    const finding = source(event);
    if (finding && (on || finding !== pinned)) light(finding.dataset.evidence, on);
  });
  follow('pointerover', true);
  follow('pointerout', false);
  follow('focusin', true);
  follow('focusout', false);
  document.addEventListener('click', (event) => {
    const quote = event.target instanceof Element ? event.target.closest('.quote') : null;
    if (!quote) return;
    const isSame = quote === pinned;
    release();
    if (isSame) return;
    pinned = quote;
    quote.setAttribute('aria-pressed', 'true');
    light(quote.dataset.evidence, true);
    const first = document.querySelector('#asked .lit');
    const box = first?.getBoundingClientRect();
    if (box && (box.bottom < 0 || box.top > window.innerHeight)) first.scrollIntoView({ block: 'center' });
  });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') release(); });
})();
