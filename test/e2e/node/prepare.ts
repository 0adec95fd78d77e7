// Everything that a real node needs from outside, so that it starts without a network.
import { buildNodePrograms, buildPrograms, type Steps } from '../cluster/programs.ts'
import { nodeImages, platformImages } from './images.ts'
import { obstacle } from './requirements.ts'

/** Checks the requirements, and builds missing programs and images. */
export async function prepare(steps: Steps): Promise<void> {
  const reason = obstacle()
  if (reason !== undefined) throw new Error(reason)
  const { programs } = await buildPrograms(steps)
  const nodePrograms = await buildNodePrograms(steps)
  steps.begin('building images')
  await nodeImages(nodePrograms)
  await platformImages(programs)
}
