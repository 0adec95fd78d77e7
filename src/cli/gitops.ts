import { gitopsRules } from '../lint/rules.ts'
import { command } from './command.ts'
import { lintFiles, lintOptions } from './lint.ts'
import { CommandError } from './stderr.ts'

export const gitops = command({
  name: 'gitops',
  summary: 'Report mistakes in what deploys claims: Applications, ApplicationSets, kustomizations and argocd-cm.',
  operands: 'check [FILE|DIR|GLOB|-]...',
  details:
    'Reads YAML and JSON as eds lint does, and no cluster. Without a file it reads standard input.\n' +
    'Exit codes: 0 no findings, 1 findings, 2 could not run or found no object.',
  examples: ['eds gitops check argocd/ claims/', 'eds gitops check . --complete', 'eds gitops check argocd/ -o sarif > eds.sarif'],
  options: lintOptions,
  run({ values, operands: [action, ...files] }, io) {
    if (action !== 'check') throw new CommandError(2, 'eds gitops: expects: eds gitops check FILE...')
    const ofUnchecked = () => 'the files have no argocd-cm, whose health script for claims is not checked; --complete reports it'
    return lintFiles(files, values, { command: 'gitops check', rules: gitopsRules, ofUnchecked }, io)
  },
})
