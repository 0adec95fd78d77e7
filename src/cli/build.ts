import { printBuild, publishBuild } from './build/print.ts'
import { reportBuild } from './build/report.ts'
import { command } from './command.ts'
import { clusterOptions, withCluster } from './connect.ts'
import { type Check, wrong } from './doctor/check.ts'
import { examineNamed, readClaimName } from './doctor/claims.ts'
import { checkPackages } from './doctor/packages.ts'
import { printTable, publish } from './doctor/print.ts'
import { fail } from './stderr.ts'
import { examineComposite, followObjects } from './why/composed.ts'
import { show } from './why/investigate.ts'

export const build = command({
  name: 'build',
  summary: 'Show what a claim builds and runs, its last builds, and how to go on: log, build again, roll back.',
  operands: 'status NAMESPACE/NAME|NAME',
  details:
    'Reads the claim, its composite and its BuildRuns with your account, and changes nothing.\n' +
    'Exit codes: 0 the image is built or being built, 1 the build failed or there is none, 2 could not run, for example because\n' +
    'the cluster is unreachable.',
  examples: ['eds build status shop/orders', 'eds build status orders -n shop -o json'],
  options: {
    output: { type: 'string', short: 'o', choices: ['text', 'json'], description: 'output format; default: text' },
    ...clusterOptions,
  },
  run: ({ values, operands: [action, ...claims] }, { stdout, clock }) => {
    if (action !== 'status') fail('eds build', 'expects: eds build status NAMESPACE/NAME')
    return withCluster('build', values, async ({ api, check, namespace }) => {
      const named = readClaimName('build status', claims, namespace)
      const isJson = values.output === 'json'
      await check()
      const { platformOf } = await checkPackages(api)
      const { check: row, claim, composite: document } = await examineNamed(api, named, platformOf)
      const end = (problem: Check) => {
        const { name, ...state } = publish({ ...problem, name: show(named) })
        stdout.write(isJson ? `${JSON.stringify({ claim: named, ...state }, null, 2)}\n` : printTable([{ ...problem, name }], stdout))
        return 1 as const
      }
      if (claim === undefined || document === undefined) return end(row)
      const root = await examineComposite(api, document)
      const composite = root === undefined ? document : root.composite
      const report = reportBuild(claim, await followObjects(api, { claim, document, composite, platform: platformOf(document) }))
      if (report === undefined)
        return end(wrong('', 'has an image, and no build (spec.build)', 'kubectl explain eventdrivenservice.spec.build'))
      const now = clock.now()
      stdout.write(isJson ? `${JSON.stringify(publishBuild(claim, report, now), null, 2)}\n` : printBuild(claim, report, now, stdout))
      return report.check.state === 'wrong' ? 1 : 0
    })
  },
})
