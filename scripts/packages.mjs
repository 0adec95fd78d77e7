// Other people's packages in a bundle, read off esbuild's metafile, and the notices that have to travel with them.
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** The innermost package that a file belongs to; undefined for a file of our own. */
const folderOf = file => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]

const read = file => readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()

const manifestOf = folder => JSON.parse(read(`${folder}/package.json`))

/** The packages by name: licence, who needs them, the bytes in each program, and their notices. */
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
      const needing = used.filter(({ file }) => needs(file, folder)).map(({ file }) => manifestOf(folderOf(file) ?? '.').name)
      return { name, version, license, neededBy: [...new Set(needing)].sort(), bytes, notices: noticesOf(folder, [...files]) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What the package says about its licence: in files of that name or, where it has none, at the head of its sources. */
function noticesOf(folder, files) {
  const named = readdirSync(folder).filter(name => /^(licen[cs]e|copying|notice)/i.test(name))
  const texts = named.length > 0 ? named.sort().map(name => read(`${folder}/${name}`)) : files.map(headOf).filter(isNotice)
  return [...new Set(texts)].sort().join('\n\n')
}

/** The comments that a source begins with. */
const headOf = file =>
  (/^(?:\s*(?:\/\/.*|\/\*[\s\S]*?\*\/))*/.exec(read(file))?.[0] ?? '').replaceAll(/^\s*(?:\/\/|\/?\*+\/?) ?/gm, '').trim()

const isNotice = text => /copyright/i.test(text)

/** One text with the notices of all, to stand beside the bundle. */
export function licensesOf(packages) {
  const line = '='.repeat(80)
  const sections = packages.map(
    ({ name, version, license, notices }) => `${line}\n${name} ${version} (${license})\n${line}\n\n${notices}\n`,
  )
  return `The program has these packages in it, under the licences below. The text of the Apache License 2.0 stands in LICENSE.\n\n${sections.join('\n')}`
}
