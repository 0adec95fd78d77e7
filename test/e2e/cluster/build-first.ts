// Builds the control plane before the files of a suite start. All of them need it, and have deadlines that a first build would miss.
import { buildPrograms, toStandardError } from './programs.ts'

export const setup = async (): Promise<void> => void (await buildPrograms(toStandardError))
