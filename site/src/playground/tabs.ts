// Tabs as https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ describes them: arrows move, one tab is in the order of the Tab key.

export interface Tabs {
  select(name: string): void
}

export function createTabs(list: HTMLElement, onSelect: (name: string) => void): Tabs {
  const tabs = [...list.querySelectorAll<HTMLButtonElement>('[role=tab]')]
  const nameOf = (tab: HTMLElement) => tab.id.replace(/-tab$/, '')
  const select = (chosen: HTMLButtonElement) => {
    for (const tab of tabs) {
      const isChosen = tab === chosen
      tab.setAttribute('aria-selected', String(isChosen))
      tab.tabIndex = isChosen ? 0 : -1
      const panel = document.getElementById(tab.getAttribute('aria-controls') ?? '')
      if (panel !== null) panel.hidden = !isChosen
    }
    onSelect(nameOf(chosen))
  }
  const steps: Readonly<Record<string, (index: number) => number>> = {
    ArrowRight: index => index + 1,
    ArrowLeft: index => index - 1,
    Home: () => 0,
    End: () => -1,
  }
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => select(tab))
    tab.addEventListener('keydown', event => {
      const next = steps[event.key]?.(index)
      const target = next === undefined ? undefined : tabs.at(next % tabs.length)
      if (target === undefined) return
      event.preventDefault()
      select(target)
      target.focus()
    })
  }
  return {
    select: name => {
      const tab = tabs.find(each => nameOf(each) === name)
      if (tab !== undefined) select(tab)
    },
  }
}
