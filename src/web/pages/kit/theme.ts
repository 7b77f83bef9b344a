// Runs before the page is drawn: what was chosen holds at once, without a flash of the other.
// A plain script: it has no imports, and is done when the first line of the page is drawn.
const chosen = localStorage.getItem('theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
