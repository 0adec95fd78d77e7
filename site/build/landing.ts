// The first page: claim, resources, running, in one screen. Its texts and claims are those of the README.
import { answer, readPlatform } from '../src/playground/engine.ts'
import { readText } from './examples.ts'
import { linkToClaim } from './field-examples.ts'
import { escaped, highlightedYaml, pictureIn } from './markdown.ts'

const readme = readText('README.md')

/** The first block of code after a text of the README. */
function blockAfter(text: string): string {
  const start = readme.indexOf(text)
  const block = /^```\w*\n([\s\S]*?)^```$/m.exec(readme.slice(start))
  if (start < 0 || block?.[1] === undefined) throw new Error(`the README has no code after '${text}'`)
  return block[1]
}

const claim = blockAfter('# EventDrivenService')
const tagline = /^# EventDrivenService\n\n(.*)$/m.exec(readme)?.[1] ?? ''
const promise = readme.split('\n').find(line => line.startsWith('The editor, the terminal, pull requests')) ?? ''
const [, pictureText = '', picture = ''] = /!\[([^\]]+)\]\((docs\/scaling\.svg)\)/.exec(readme) ?? []

/** What `kubectl get` prints, without its prompt. */
const state = blockAfter('Then a claim shows its state')

export const landing = {
  title: 'EventDrivenService: one claim becomes a hardened, autoscaled service',
  description: tagline,
  pictures: [picture],
  body: body(),
}

function body(): string {
  const platform = readPlatform('').platform
  const [became] = platform === undefined ? [] : answer(claim, { platform, situation: 'running' }).claims
  if (became === undefined) throw new Error('the README shows a claim that is not valid')
  const resources = became.resources.map(
    ({ kind, name, facts }) => `<li><b>${escaped(kind)}</b> ${escaped(name)}<span class="facts">${escaped(facts)}</span></li>`,
  )
  const conditions = became.conditions.map(({ type, message }) => `<li><b>${type}</b><span class="facts">${escaped(message)}</span></li>`)
  return `<main id="main" class="landing">
<section class="hero">
<h1>${escaped(tagline.replace(/\.$/, ''))}</h1>
<p>${escaped(promise)}</p>
<p class="actions"><a class="button" href="playground/index.html">Open the playground</a> <a class="button quiet" href="docs/index.html">Read the docs</a></p>
</section>
<section class="steps" aria-label="From claim to running service">
<article><h2>1. The claim</h2><pre tabindex="0"><code>${highlightedYaml(claim)}</code></pre>
<a class="try" href="playground/index.html#${linkToClaim(claim)}">Edit it in the playground</a></article>
<article><h2>2. Its resources</h2><ul class="resources">${resources.join('')}</ul></article>
<article><h2>3. It runs</h2><ul class="resources">${conditions.join('')}</ul>
<a href="docs/sandbox.html"><img src="${pictureIn(picture)}" alt="${escaped(pictureText)}"></a>
<p class="facts">Measured in a run with a real Crossplane, KEDA and NATS.</p></article>
</section>
<section class="state"><h2>What kubectl shows</h2><pre tabindex="0"><code>${escaped(state)}</code></pre></section>
</main>`
}
