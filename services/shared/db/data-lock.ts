/** One process per data directory: a lock that the kernel holds for as long as the process lives, and gives up at kill -9. */
import { mkdirSync, realpathSync, statSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'

export class DataDirectoryInUse extends Error {}

/**
 * Takes the lock or throws `DataDirectoryInUse`, with the process id of the holder, within a second. On Linux it is a socket in
 * the abstract namespace, named after the directory's device and inode, so that two paths to one directory are one lock.
 */
export async function lockDataDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  makeDirectory(directory)
  const address = addressOf(directory)
  try {
    return await hold(address)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
  }
  const holder = await ask(address)
  if (holder !== undefined)
    throw new DataDirectoryInUse(
      `${directory} is in use by process ${holder}: stop that first, or set GEMEENTECLOUD_DATA to another directory`,
    )
  // Nobody answers: a socket file that a killed process left behind. Abstract sockets leave none.
  if (!address.startsWith('\0')) unlinkSync(address)
  return hold(address)
}

/** With its parents. Node's own way never ends where a folder is there and denies that it is, as /proc does. */
function makeDirectory(path: string): void {
  if (isDirectory(path)) return
  if (!isDirectory(dirname(path))) makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o755 })
  } catch (error) {
    // Another process that starts at the same time was a moment earlier.
    if (!isDirectory(path)) throw error
  }
}

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function addressOf(directory: string): string {
  const path = realpathSync(directory)
  if (process.platform !== 'linux') return join(path, 'lock.sock')
  const { dev, ino } = statSync(path)
  return `\0gemeentecloud-${dev}-${ino}`
}

function hold(address: string): Promise<{ release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end(String(process.pid))
    })
    server.once('error', reject)
    server.listen(address, () => {
      server.unref()
      resolve({ release: () => new Promise((released) => server.close(() => released())) })
    })
  })
}

/** The process id of who listens; `unknown` when it does not say so in time; undefined when nobody does. */
function ask(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ path: address, timeout: 1_000 })
    socket.once('timeout', () => {
      socket.destroy()
      resolve('unknown')
    })
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.on('end', () => resolve(text || 'unknown'))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? undefined : 'unknown'))
  })
}
