import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { lint } from '../../src/lint/lint.ts'
import { gitopsRules } from '../../src/lint/rules.ts'
import { type RuleRow, teller } from './rule-rows.ts'

const KINDS: Readonly<Record<string, string>> = {
  Application: 'argoproj.io/v1alpha1',
  ApplicationSet: 'argoproj.io/v1alpha1',
  AppProject: 'argoproj.io/v1alpha1',
  ConfigMap: 'v1',
  Secret: 'v1',
  EventDrivenService: 'platform.bizmatters.io/v1alpha1',
  Kustomization: 'kustomize.config.k8s.io/v1beta1',
  Broker: 'eventing.knative.dev/v1',
  Trigger: 'eventing.knative.dev/v1',
}

/** Objects as `Kind name: fields`, one a line. */
const objects = (lines: readonly string[]): JsonObject[] =>
  lines.map(line => {
    const [, kind = '', name, fields = '{}'] = /^(\w+) ([\w-]+): (.*)$/.exec(line) ?? []
    const [document] = parseAllDocuments(fields)
    return { apiVersion: KINDS[kind] ?? '', kind, metadata: { name: name ?? '' }, ...(document?.toJS() as JsonObject) }
  })

const told = teller({ rules: gitopsRules, namespace: 'argocd', objects })

const set = (generators: string, template: string, more = 'goTemplate: true, ') =>
  `ApplicationSet shop: {spec: {${more}generators: ${generators}, template: {metadata: {name: '${template}'}}}}`
const list = (elements: string) => `[{list: {elements: ${elements}}}]`
const app = (name: string, source: string, destination = '{server: https://kubernetes.default.svc, namespace: shop}') =>
  `Application ${name}: {spec: {source: {repoURL: https://example.com/shop${source}}, destination: ${destination}}}`
const same = (destination: string) =>
  `ApplicationSet shop: {spec: {generators: ${list('[{env: a}, {env: b}]')}, template: {metadata: {name: '{{env}}'}, spec: {destination: ${destination}}}}}`
const trigger = 'Trigger orders: {spec: {broker: shop}}'
const broker = 'Broker shop: {}'
const prefixed = (more = '') => `Kustomization all: {namePrefix: dev-${more}}`
const settings = (data: string) => `ConfigMap argocd-cm: {data: {${data}}}`
const claim = 'EventDrivenService orders: {spec: {image: a}}'
const health = 'resource.customizations.health.platform.bizmatters.io_EventDrivenService'

const rows: readonly RuleRow[] = [
  {
    code: 'UNUSED_FIELD',
    says: 'no template of the ApplicationSet uses tier, so that it changes nothing',
    at: '0 spec.generators[0].list.elements[1].tier',
    wrong: [set(list('[{env: a}, {env: b, tier: x}, {env: c, tier: y}]'), '{{ .env }}')],
    right: {
      'a field in a condition': [set(list('[{env: a, tier: x}]'), '{{ if eq .tier "x" }}{{ .env }}{{ end }}')],
      'a part of a field': [set(list('[{env: {name: a}}]'), '{{ .env.name }}')],
      'all fields at once': [set(list('[{env: a}]'), '{{ toJson . }}')],
      'a field by its index': [set(list('[{the-env: a}]'), '{{ index . "the-env" }}')],
      'a field after a pattern and a comment': [set(list('[{env: a}]'), 'shop/*{{/* the name */}}{{ .env }}')],
      'a field after a pattern': [set(list('[{env: a}]'), 'shop/*/{{ .env }}')],
      'a field of the root': [set(list('[{env: a}]'), '{{ $.env }}')],
      'a field that a selector reads': [set('[{list: {elements: [{env: a, tier: x}]}, selector: {matchLabels: {tier: x}}}]', '{{ .env }}')],
      'a field that another generator uses': [
        set("[{matrix: {generators: [{list: {elements: [{folder: a}]}}, {git: {files: [{path: '{{ .folder }}'}]}}]}}]", '{{ .path.path }}'),
      ],
      'a key of a merge': [set('[{merge: {mergeKeys: [server], generators: [{list: {elements: [{server: a}]}}]}}]', '{{ .name }}')],
      'templates without Go': [set(list('[{env: a, values: {tier: x}}]'), '{{env}}-{{ values.tier }}', '')],
    },
  },
  {
    code: 'UNUSED_FIELD',
    says: 'no template of the ApplicationSet uses values.tier, so that it changes nothing',
    at: '0 spec.generators[0].clusters.values.tier',
    wrong: [set('[{clusters: {values: {tier: x}}}]', '{{ .name }}')],
    right: { 'a value that is used': [set('[{clusters: {values: {tier: x}}}]', '{{ .values.tier }}')] },
  },
  {
    code: 'UNKNOWN_TEMPLATE_FIELD',
    says: 'no generator gives the field regoin: they give env, region (region?)',
    at: '0 spec.template.metadata.name',
    wrong: [set(list('[{env: a, region: x}]'), '{{ .env }}-{{ .regoin }}')],
    right: {
      'fields of a generator that reads the cluster': [set('[{clusters: {}}]', '{{ .metadata.labels.env }}')],
      'fields of some elements': [set(list('[{env: a}, {env: b, region: x}]'), '{{ .env }}{{ .region }}')],
      'a list from text': [set("[{list: {elementsYaml: '[]'}}]", '{{ .env }}')],
      'a field of a value that a template walks through': [set(list('[{ports: [{name: a}]}]'), '{{ range .ports }}{{ .name }}{{ end }}')],
      'text, comments and templates of other programs': [set(list('[{env: a}]'), '{{ .env }}{{ print " .x " }}{{/* .y */}}{{`{{ .z }}`}}')],
      'a field of a variable': [set(list('[{env: a}]'), '{{ $x := .env }}{{ $x.name }}')],
    },
  },
  {
    code: 'UNKNOWN_TEMPLATE_FIELD',
    says: 'no generator gives the field .env: they give env (env?)',
    at: '0 spec.template.metadata.name',
    wrong: [set(list('[{env: a}]'), '{{ .env }}', '')],
    right: {},
  },
  {
    code: 'SAME_FOR_ALL',
    says: 'must use a field of the generators: all Applications of the set deploy the same files to the same place',
    at: '0 spec.template.spec',
    wrong: [same('{namespace: shop}')],
    right: {
      'a place of its own for each': [same("{namespace: 'shop-{{env}}'}")],
      'a single element': [same('{namespace: shop}').replace(', {env: b}', '')],
    },
  },
  {
    code: 'SHARED_FILES',
    says: 'Application argocd/a deploys the same files to the same place, so that two Applications own each object',
    at: '1 spec.source.path',
    wrong: [
      app('a', ', path: claims/shop'),
      app('b', '.git, path: ./claims/shop/, targetRevision: v1', '{name: in-cluster, namespace: shop}'),
    ],
    right: {
      'another folder': [app('a', ', path: claims'), app('b', ', path: claims-b')],
      'a folder inside of one that is not read recursively': [app('a', ', path: claims'), app('b', ', path: claims/b')],
      'another repository': [app('a', '-a, path: claims'), app('b', '-b, path: claims')],
      'another cluster': [app('a', ', path: claims'), app('b', ', path: claims', '{server: https://b, namespace: shop}')],
      'another namespace': [app('a', ', path: claims'), app('b', ', path: claims', '{name: in-cluster, namespace: b}')],
      'other values': [app('a', ', path: chart, helm: {releaseName: a}'), app('b', ', path: chart, helm: {releaseName: b}')],
      'two versions of one Application': [app('a', ', path: claims'), app('a', ', path: claims')],
    },
  },
  {
    code: 'SHARED_FILES',
    says: 'Application argocd/a deploys the same files to the same place, so that two Applications own each object',
    at: '1 spec.source.path',
    wrong: [app('a', ', path: claims, directory: {recurse: true}'), app('b', ', path: claims/b')],
    right: {
      'a folder that may be left out': [
        app('a', ", path: claims, directory: {recurse: true, exclude: 'b/*'}"),
        app('b', ', path: claims/b'),
      ],
    },
  },
  {
    code: 'RENAMED_TARGET',
    says: 'renames objects, but not the reference of Trigger argocd/orders to Broker argocd/shop: list it under nameReference in a file of configurations',
    at: '0 namePrefix',
    wrong: [prefixed(), trigger, broker],
    right: {
      configurations: [prefixed(', configurations: [names.yaml]'), trigger, broker],
      'no prefix': ['Kustomization all: {namespace: shop}', trigger, broker],
      'a reference to another place': [prefixed(), trigger, 'Broker other: {}'],
    },
  },
  {
    code: 'RENAMED_TARGET',
    says: 'renames objects, but not the reference of Trigger argocd/orders to EventDrivenService argocd/orders: list it under nameReference in a file of configurations',
    at: '0 nameSuffix',
    wrong: [
      'Kustomization all: {nameSuffix: -dev}',
      'Trigger orders: {spec: {subscriber: {ref: {apiVersion: v1, kind: Service, name: orders}}}}',
      claim,
    ],
    right: {},
  },
  ...['secretRefs: [{name: db}]', 'nats: {credentials: {secret: db}}', 'files: [{secret: db, mountPath: /db}]'].map(
    (fields): RuleRow => ({
      code: 'RENAMED_TARGET',
      says: 'renames objects, but not the reference of EventDrivenService argocd/orders to Secret argocd/db: list it under nameReference in a file of configurations',
      at: '0 namePrefix',
      wrong: [prefixed(), `EventDrivenService orders: {spec: {${fields}}}`, 'Secret db: {}'],
      right: { 'a ConfigMap of the same name': [prefixed(), `EventDrivenService orders: {spec: {${fields}}}`, 'ConfigMap db: {}'] },
    }),
  ),
  {
    code: 'MISSING_HEALTH',
    says: `must have ${health}: without it Argo CD shows failing claims as healthy`,
    at: '0 data',
    wrong: [settings('url: https://argocd.example.com'), app('a', ', path: claims'), claim],
    right: {
      'a script': [settings(`${health}: return {}`), app('a', ', path: claims'), claim],
      'a script for all kinds in the older key': [
        settings('resource.customizations: "platform.bizmatters.io/*:\\n  health.lua: return"'),
        app('a', ', path: claims'),
        claim,
      ],
      'Applications of other things': [settings('url: a'), app('a', ', path: charts')],
    },
  },
  {
    code: 'MISSING_HEALTH',
    says: `no ConfigMap argocd-cm has ${health}: without it Argo CD shows failing claims as healthy`,
    at: '0 spec',
    wrong: [
      app('a', ', path: claims'),
      'AppProject shop: {spec: {namespaceResourceWhitelist: [{group: platform.bizmatters.io, kind: EventDrivenService}]}}',
    ],
    right: {},
    onlyComplete: true,
  },
  {
    code: 'TRACKED_BY_LABEL',
    says: 'must be annotation: Crossplane copies the labels of a claim to its composite, which Argo CD then prunes (annotation?)',
    at: '0 data["application.resourceTrackingMethod"]',
    wrong: [settings('application.resourceTrackingMethod: label')],
    right: {
      'annotations with labels': [settings('application.resourceTrackingMethod: annotation+label')],
      'the default': [settings('url: a')],
    },
  },
]

describe.each(rows)('$code: $says', ({ code, says, at, wrong, right, onlyComplete }) => {
  test(`is reported at ${at}`, () => {
    expect(told(wrong, true).findings.filter(finding => finding.code === code)).toEqual([{ at, code, says }])
    expect(told(wrong)).toMatchObject(onlyComplete ? { findings: [], unchecked: 1 } : { unchecked: 0 })
  })

  test.each(Object.entries(right).map(([title, lines]) => ({ title, lines })))('accepts $title', ({ lines }) => {
    expect(told(lines, true).findings.filter(finding => finding.code === code)).toEqual([])
  })
})

test('every rule of GitOps has a row', () =>
  expect(new Set(rows.map(({ code }) => code))).toEqual(new Set(gitopsRules.map(({ code }) => code))))

test('the rules of GitOps answer any objects', () => {
  const known = objects(rows.flatMap(({ wrong }) => wrong))
  const broken = fc.tuple(fc.constantFrom(...known), fc.constantFrom('spec', 'data', 'namePrefix'), fc.jsonValue())
  fc.assert(
    fc.property(fc.array(broken, { maxLength: 6 }), changes => {
      const values = changes.map(([object, field, value]) => ({ ...object, [field]: value as JsonObject[string] }))
      lint(values, { namespace: 'argocd', isComplete: true, rules: gitopsRules })
    }),
  )
})
