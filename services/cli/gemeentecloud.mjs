#!/usr/bin/env node
/** Starts the command line with a Node.js that can run it: this one, or else the one that came with the packages. */
import { spawn } from 'node:child_process'
import module, { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) {
  // What was compiled at a run before; where that cannot be kept, each run does it.
  module.enableCompileCache?.(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)))
  await import('./main.ts')
} else {
  const node = packagedNode()
  if (node === undefined) tooOld()
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // The terminal signals both of us: the child decides, we follow it. A signal to us alone is passed on.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', tooOld)
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** The Node.js among our packages, when it is installed. */
function packagedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json')
    return manifest.replace(/package\.json$/, process.platform === 'win32' ? 'bin\\node.exe' : 'bin/node')
  } catch {
    return undefined
  }
}

/** @returns {never} */
function tooOld() {
  process.stderr.write(
    `gemeentecloud runs on Node.js 24.12 or newer; this is ${process.versions.node}.\n` +
      'A newer one comes with the packages: run `npm ci` in the checkout. Or install Node.js 24.\n',
  )
  process.exit(2)
}
