// The review queue by keyboard: j and k move, a, c and r choose, Ctrl+Enter confirms, Escape takes the choice back.
'use strict';
(() => {
  const waiting = () => [...document.querySelectorAll('.queue > .reviewable')];
  const current = () => document.activeElement?.closest('.queue > .reviewable') || null;
  const isTyping = (target) => target.matches('textarea, select, input:not([type=radio], [type=checkbox])');

  const go = (step) => {
    const cards = waiting();
    if (!cards.length) return;
    const at = cards.indexOf(current());
    const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), cards.length - 1);
    cards[next].focus();
    cards[next].scrollIntoView({ block: 'nearest' });
  };
  const choose = (key) => {
    const card = current();
    const choice = card?.querySelector(`[data-key="${key}"]`);
    if (!choice) return false;
    choice.checked = true;
    card.querySelector('[name=comment]').focus();
    return true;
  };
  const takeBack = (form) => {
    form.reset();
    (form.closest('.reviewable[tabindex]') || form.querySelector('input[type=radio]')).focus();
  };

  document.addEventListener('keydown', (event) => {
    if (!document.querySelector('.queue') || event.altKey || event.metaKey || event.ctrlKey) return;
    const form = event.target.closest?.('.verdict-form');
    if (event.key === 'Escape' && form) { takeBack(form); return; }
    if (isTyping(event.target)) return;
    const done = { j: () => go(1), k: () => go(-1), a: () => choose('a'), c: () => choose('c'), r: () => choose('r') }[event.key];
    if (done && done() !== false) event.preventDefault();
  });
  document.addEventListener('click', (event) => {
    if (event.target.matches?.('.verdict-form [type=reset]')) { event.preventDefault(); takeBack(event.target.form); }
  });
  document.body.addEventListener('htmx:afterSettle', () => {
    const progress = document.getElementById('done');
    if (!progress) return;
    const cards = waiting();
    const done = cards.filter((card) => card.matches('.done'));
    if (done.length === progress.value) return;
    progress.value = done.length;
    const count = document.getElementById('done-n');
    count.textContent = `${done.length} / ${count.dataset.of}`;
    (cards.find((card) => !card.matches('.done')) || done[done.length - 1]).focus();
  });
})();
