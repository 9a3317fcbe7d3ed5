/** In front of what npm runs: what is missing is said in a sentence, where Node.js would show a stack. Needs no package. */
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import process from 'node:process'

const [program = '', ...options] = process.argv.slice(2)
const root = new URL('../', import.meta.url)
const again = `\`npm ${process.env.npm_lifecycle_event ?? 'start'}\``
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 20) stop(`This needs Node.js 20 or newer with npm, and this is ${process.versions.node}.`)
if (!existsSync(new URL('node_modules', root))) stop(`The packages are not installed: run \`npm ci\`, then ${again} again.`)
if (major < 24 || (major === 24 && minor < 12)) {
  const needed = `This needs Node.js 24.12 or newer, and this is ${process.versions.node}`
  stop(`${needed}. The right one comes with the packages: run \`npm ci\`, then ${again} again.`)
}
// What was compiled at the start before; where that cannot be kept, each start does it.
module.enableCompileCache?.(fileURLToPath(new URL('node_modules/.cache/compiled', root)))
process.argv.splice(1, Number.POSITIVE_INFINITY, program, ...options)
try {
  await import(new URL(program, root).href)
} catch (error) {
  // Packages that are older than the checkout; a file of our own that is not found is our mistake.
  const missing = error.code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find package '([^']+)'/.exec(error.message)?.[1]
  if (!missing) throw error
  stop(`The package ${missing} is not installed: run \`npm ci\`, then ${again} again.`)
}

/** @param {string} sentence @returns {never} */
function stop(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
