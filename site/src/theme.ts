// Runs before the page is drawn: dark or light as the reader chose, else as the system is.
const KEY = 'theme'

/** Some browsers forbid to store anything. */
function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

function store(theme: string): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // The choice then lasts as long as the page.
  }
}

const root = document.documentElement
const chosen = stored()
if (chosen === 'dark' || chosen === 'light') root.dataset.theme = chosen

addEventListener('DOMContentLoaded', () => {
  document.getElementById('theme')?.addEventListener('click', () => {
    const isDark = (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark'
    root.dataset.theme = isDark ? 'light' : 'dark'
    store(root.dataset.theme)
  })
})
