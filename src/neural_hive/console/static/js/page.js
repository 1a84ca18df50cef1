// What every page needs: where the focus goes, themes without a reload, the offline banner, ticks that are remembered.
'use strict';
(() => {
  const byId = (id) => document.getElementById(id);

  document.addEventListener('submit', (event) => {
    const chosen = event.submitter;
    if (!event.target.matches('.preferences') || !chosen || chosen.name !== 'theme') return;
    event.preventDefault();
    document.documentElement.dataset.theme = chosen.value;
    for (const button of event.target.querySelectorAll('[name=theme]')) button.setAttribute('aria-pressed', String(button === chosen));
    const body = new URLSearchParams({ theme: chosen.value, back: '/sign-in' });
    fetch('/preferences', { method: 'POST', body, redirect: 'manual' }).catch(() => {});
  });

  const showNetwork = () => { byId('offline').hidden = navigator.onLine; };
  window.addEventListener('online', showNetwork);
  window.addEventListener('offline', showNetwork);
  showNetwork();

  document.body.addEventListener('htmx:sendError', () => { byId('offline').hidden = false; });
  document.body.addEventListener('htmx:sseError', () => { byId('offline').hidden = false; });
  document.body.addEventListener('htmx:sseOpen', showNetwork);
  document.body.addEventListener('htmx:beforeRequest', () => byId('problem').replaceChildren());
  document.body.addEventListener('htmx:sseClose', () => byId('case')?.removeAttribute('aria-busy'));

  document.body.addEventListener('htmx:afterSettle', (event) => {
    if (event.detail.target?.id !== 'main') return;
    const path = window.location.pathname;
    for (const link of document.querySelectorAll('.top nav a')) {
      const href = link.getAttribute('href');
      const here = href === '/' ? path === '/' : path.startsWith(href);
      link.toggleAttribute('aria-current', here);
      if (here) link.setAttribute('aria-current', 'page');
    }
    const back = document.querySelector('.preferences [name=back]');
    back.value = path + window.location.search;
    if (!document.activeElement || document.activeElement === document.body) event.detail.target.focus({ preventScroll: true });
  });

  // Conditions are ticked for oneself: kept in this browser, by case.
  const ticksOf = (box) => `conditions ${box.closest('[data-case]')?.dataset.case}`;
  const read = (key) => { try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; } };
  document.addEventListener('change', (event) => {
    const box = event.target;
    if (!box.matches('[data-condition]')) return;
    const ticks = read(ticksOf(box));
    ticks[box.dataset.condition] = box.checked;
    try { localStorage.setItem(ticksOf(box), JSON.stringify(ticks)); } catch { /* private mode: nothing is remembered */ }
  });
  const restore = (root) => {
    for (const box of root.querySelectorAll('[data-condition]')) box.checked = read(ticksOf(box))[box.dataset.condition] === true;
  };
  document.body.addEventListener('htmx:load', (event) => restore(event.detail.elt));
  restore(document);

  // Times come in UTC; people read their own clock. What is on record stays as it was recorded.
  const two = (n) => String(n).padStart(2, '0');
  const localise = (root) => {
    for (const time of root.querySelectorAll('time[datetime]:not([title], .record time, .chain time)')) {
      const at = new Date(time.dateTime);
      const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())];
      time.title = time.textContent;
      time.textContent = `${document.documentElement.lang === 'en' ? day.join('-') : day.reverse().join('/')} ${two(at.getHours())}:${two(at.getMinutes())}`;
    }
  };
  document.body.addEventListener('htmx:load', (event) => localise(event.detail.elt));
  localise(document);

  // Where the chain breaks is shown in the chain, too.
  document.body.addEventListener('htmx:afterSwap', (event) => {
    if (event.detail.target?.id !== 'verification') return;
    const broken = event.detail.target.querySelector('[data-broken]')?.dataset.broken;
    for (const link of document.querySelectorAll('.chain li')) link.classList.toggle('is-broken', link.dataset.case === broken);
  });

  // What went wrong is said at the top; on a phone that is out of sight.
  document.body.addEventListener('htmx:afterSwap', (event) => {
    if (event.detail.target?.id === 'problem') event.detail.target.scrollIntoView({ block: 'nearest' });
  });

  // On paper nothing is folded away.
  const folded = () => document.querySelectorAll('main details:not([open])');
  window.addEventListener('beforeprint', () => { for (const part of folded()) { part.open = true; part.dataset.folded = ''; } });
  window.addEventListener('afterprint', () => { for (const part of document.querySelectorAll('[data-folded]')) { part.open = false; delete part.dataset.folded; } });

  // Ctrl+Enter sends the request that is being typed.
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.matches('textarea')) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  });
})();
