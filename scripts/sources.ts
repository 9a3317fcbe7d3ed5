/** Which files are ours: the lists that the checks and the tidy test look at. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder, absolute. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const foreign = new Set(['node_modules', '.git', '.tap'])

/** Paths of all files under `folder`, relative to `base` with forward slashes, sorted. Not what is built or fetched. */
export function filesUnder(folder: string, base = root): string[] {
  return readdirSync(join(base, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`
      if (entry.isFile()) return [path]
      return entry.isDirectory() && !isForeign(path, entry.name) ? filesUnder(path, base) : []
    })
    .sort()
}

/** `data` is a folder of the product only inside services; elsewhere it is where a broker keeps its store. */
function isForeign(path: string, name: string): boolean {
  if (name === 'data') return !path.startsWith('services/')
  if (name === 'bin') return path === 'test/clusters/bin'
  return foreign.has(name)
}

/** TypeScript files under the folders, without the planted violations. Folders that do not exist have none. */
export function typescriptFiles(...folders: string[]): string[] {
  const present = new Set(readdirSync(root))
  return folders
    .filter((folder) => present.has(folder))
    .flatMap((folder) => filesUnder(folder))
    .filter((path) => path.endsWith('.ts') && !path.startsWith('test/fixtures/bad-imports/'))
}
