// Tekton, Shipwright and Flux's source-controller, built for pods.
import { buildAll, type Pin, type Steps } from '../cluster/programs.ts'

export const PROGRAMS = 'build/programs'
export const FLUX = 'gitops/flux/source-controller'

const pin = (program: string, called: string, seconds: number): Pin => ({ module: PROGRAMS, program, called, seconds, place: 'pod' })

const pinned = {
  git: pin('git', "Shipwright's git step", 30),
  imageProcessing: pin('image-processing', "Shipwright's push step", 75),
  entrypoint: pin('entrypoint', "Tekton's entrypoint", 60),
  workingDirectory: pin('workingdirinit', "Tekton's first step", 2),
  tekton: pin('controller', 'Tekton', 50),
  tektonWebhook: pin('webhook', "Tekton's webhook", 20),
  shipwright: pin('shipwright-build-controller', 'Shipwright', 20),
  shipwrightWebhook: pin('shipwright-build-webhook', "Shipwright's webhook", 10),
  sourceController: { module: FLUX, called: "Flux's source-controller", seconds: 240, place: 'pod' },
} as const satisfies Record<string, Pin>

/** The path of each program. */
export type BuildPrograms = Readonly<Record<keyof typeof pinned, string>>

export const buildPrograms = (steps: Steps): Promise<BuildPrograms> => buildAll(pinned, steps)
