// What a claim says of real BuildRuns: Shipwright and Tekton wrote these in test/e2e/build.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { buildClaim, composeBuild, wantedRun } from '../../fixtures/build.ts'
import { root } from '../../fixtures/claim-files.ts'

const folder = `${root}test/fixtures/build-runs/`

/** By the file: the condition, and the message without the advice that follows. */
const said: Readonly<Record<string, string>> = {
  running: 'Building: builds revision 4014a5f9bf9b3bb8784f3163f9dc7e6f8a9c0a78.',
  quota:
    'Building: builds revision dd02634062c538b693ec1f11c3711dd8e02b03cf. It waits: exceeded quota: quota, requested: pods=1, used: pods=0, limited: pods=0.',
  success:
    'Built: Built ghcr.io/team/success@sha256:63748519867a4bf48811ff04bd8f3c603387349a633ee851f10422ba6d6f2967 from commit dd02634062c538b693ec1f11c3711dd8e02b03cf.',
  private:
    'Built: Built ghcr.io/team/private@sha256:ca0a2a1c5f6e041610ec89fdcaafd8bad19c92d75258c3e13212322248cedd3d from commit dbd19625afce72f2b73157a7c91833a33d81e407.',
  'broken-dockerfile': 'Failed: step build failed.',
  canceled: 'BuildRunCanceled: The BuildRun and underlying TaskRun were canceled successfully.',
  'missing-branch': 'GitRevisionNotFound: The remote revision does not exist. Check your revision argument.',
  'missing-dockerfile': "DockerfileNotFound: The Dockerfile 'nowhere/Dockerfile' does not exist.",
  'missing-repository': "GitError: fatal: repository 'https://git.git.svc.cluster.local/team/none.git/' not found (exit code 128).",
  'missing-secret': 'BuildRegistrationFailed: referenced secret none not found.',
  'missing-strategy': 'BuildRegistrationFailed: clusterBuildStrategy none does not exist.',
  'out-of-memory': 'StepOutOfMemory: step build ran out of memory.',
  'private-without-secret':
    'GitRemoteRepositoryPrivate: The source repository does not exist, or you have insufficient permission to access it.',
  'private-wrong-password':
    'GitAuthInvalidUserOrPass: Basic authentication has failed. Check your username or password. Note: GitHub requires a personal access token instead of your regular password.',
  'push-failure': 'Failed: pushing the image failed.',
  timeout: 'BuildRunTimeout: BuildRun timeout failed to finish within 15s.',
  'wrong-parameter': 'BuildRegistrationFailed: The following parameters are not defined in the build strategy: nonsense.',
}

const claim = buildClaim()
const [key] = wantedRun(claim)

test.each(readdirSync(folder).map(file => ({ file })))('$file', ({ file }) => {
  const run = parse(readFileSync(`${folder}${file}`, 'utf8')) as JsonObject
  const { conditions } = composeBuild(claim, { [key]: run })
  const { reason, message } = conditions.find(({ type }) => type === 'BuildReady') ?? {}
  const [words] = message?.split(/ (?:Log: |Ask )/) ?? []
  expect(`${reason}: ${words?.replace(/^BuildRun \S+ (?:failed: )?/, '')}`).toBe(said[file.replace('.yaml', '')])
})
