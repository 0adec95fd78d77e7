// Lists the third-party packages in a bundle from esbuild's metafile, with the notices that must be distributed with them.
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** The innermost package that contains the file; undefined for our own files. */
const folderOf = file => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]

const read = file => readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()

const manifestOf = folder => JSON.parse(read(`${folder}/package.json`))

/** The packages by name: licence, dependents, the bytes in each program, and notices. */
export function packagesIn({ inputs, outputs }) {
  const packages = new Map()
  const used = Object.entries(outputs).flatMap(([output, { inputs: parts }]) =>
    Object.entries(parts).map(([file, { bytesInOutput }]) => ({ program: basename(output), file, bytesInOutput })),
  )
  for (const { program, file, bytesInOutput } of used) {
    const folder = folderOf(file)
    if (folder === undefined) continue
    const { bytes, files } = packages.get(folder) ?? { bytes: {}, files: new Set() }
    packages.set(folder, { bytes: { ...bytes, [program]: (bytes[program] ?? 0) + bytesInOutput }, files: files.add(file) })
  }
  const needs = (file, folder) => folderOf(file) !== folder && inputs[file].imports.some(({ path }) => folderOf(path) === folder)
  return [...packages]
    .map(([folder, { bytes, files }]) => {
      const { name, version, license } = manifestOf(folder)
      const dependents = used.filter(({ file }) => needs(file, folder)).map(({ file }) => manifestOf(folderOf(file) ?? '.').name)
      return { name, version, license, neededBy: [...new Set(dependents)].sort(), bytes, notices: noticesOf(folder, [...files]) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The licence texts of a package: its licence files or, without any, the head comments of its sources. */
function noticesOf(folder, files) {
  const named = readdirSync(folder).filter(name => /^(licen[cs]e|copying|notice)/i.test(name))
  const texts = named.length > 0 ? named.sort().map(name => read(`${folder}/${name}`)) : files.map(headOf).filter(isNotice)
  return [...new Set(texts)].sort().join('\n\n')
}

/** The comments at the start of a source file. */
const headOf = file =>
  (/^(?:\s*(?:\/\/.*|\/\*[\s\S]*?\*\/))*/.exec(read(file))?.[0] ?? '').replaceAll(/^\s*(?:\/\/|\/?\*+\/?) ?/gm, '').trim()

const isNotice = text => /copyright/i.test(text)

/** The notices of all packages in one text, distributed next to the bundle. */
export function licensesOf(packages) {
  const line = '='.repeat(80)
  const sections = packages.map(
    ({ name, version, license, notices }) => `${line}\n${name} ${version} (${license})\n${line}\n\n${notices}\n`,
  )
  return `The program contains these packages, under the licences below. The text of the Apache License 2.0 is in LICENSE.\n\n${sections.join('\n')}`
}
