// The page of the playground, before its script fills it.

/** Scripts may evaluate: ajv compiles the schema to code. Nothing may be requested. */
export const PLAYGROUND_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'"

const tab = (name: string, label: string, isSelected: boolean) =>
  `<button type="button" role="tab" id="${name}-tab" aria-controls="${name}-panel" aria-selected="${isSelected}" tabindex="${isSelected ? 0 : -1}">${label}</button>`

const problems = (name: string) =>
  `<p class="count" id="${name}-problems-count" role="status"></p><ul class="problems" id="${name}-problems" aria-label="Findings"></ul>`

export const playgroundBody = `<main id="main" class="playground">
<h1 class="hidden">Playground</h1>
<div class="left">
<div class="bar">
<label>Example <select id="example"><option value="" hidden>Your own</option></select></label>
<button type="button" id="copy">Copy link</button>
</div>
<div class="tabs" role="tablist" id="tabs" aria-label="Input">
${tab('claim', 'Claim', true)}${tab('platform', 'Platform', false)}${tab('manifests', 'From manifests', false)}
</div>
<div class="panel" role="tabpanel" id="claim-panel" aria-labelledby="claim-tab"><div class="editor" id="claim-editor"></div>${problems('claim')}</div>
<div class="panel" role="tabpanel" id="platform-panel" aria-labelledby="platform-tab" hidden>
<p class="hint">What the platform team sets for all claims. An empty input is a platform without settings.</p>
<div class="bar"><label>Environment <select id="environment"></select></label><button type="button" id="sample-platform">Insert an example</button></div>
<div class="editor" id="platform-editor"></div>${problems('platform')}</div>
<div class="panel" role="tabpanel" id="manifests-panel" aria-labelledby="manifests-tab" hidden>
<p class="hint">Paste a Deployment with its Services and its ScaledObject, or a Knative Service with its Triggers.</p>
<div class="editor" id="manifest-editor"></div></div>
</div>
<section class="right" id="becomes" aria-label="What the claim becomes">
<div class="bar"><label>Cluster <select id="situation"></select></label></div>
<p class="state" id="state" role="status"></p>
<h2>Conditions</h2>
<ul class="conditions" id="conditions"></ul>
<h2>Resources <span class="facts" id="stale"></span></h2>
<ul class="tree" id="tree"></ul>
<h2 id="resource">No resource yet</h2>
<pre class="yaml" id="yaml" role="region" aria-label="YAML" tabindex="0"></pre>
<details><summary>Status of the claim</summary><pre id="status" role="region" aria-label="Status" tabindex="0"></pre></details>
</section>
<section class="right" id="conversion" aria-label="The claim of the manifests" hidden>
<div class="bar"><h2>The claim</h2><button type="button" id="open-claim" class="primary">Edit this claim</button></div>
<ul class="notes" id="notes"></ul>
<pre class="yaml" id="converted" role="region" aria-label="Claim" tabindex="0"></pre>
<h2>What changes</h2>
<div id="differences"></div>
<h2>Steps without downtime</h2>
<ol id="steps"></ol>
</section>
<p class="foot"><span id="speed"></span> · No text leaves your browser. <kbd>Ctrl</kbd>+<kbd>Space</kbd> completes, <kbd>Alt</kbd>+<kbd>Enter</kbd> uses a suggestion, <kbd>F8</kbd> goes to the next finding. <a href="../THIRD_PARTY_LICENSES.txt">Licences</a></p>
<noscript><p>The playground needs JavaScript.</p></noscript>
</main>`
