/** Refuses a Node.js that cannot run the product, before anything else is loaded: imported first by each entry. */
import process from 'node:process'

const needed = [24, 12] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  process.stderr.write(
    `gemeentecloud runs on Node.js ${needed.join('.')} or newer; this is ${process.versions.node}.\n` +
      'It comes with the packages: run `npm ci`, then `npm start`, `npm test` or `npx gemeentecloud`.\n',
  )
  process.exit(2)
}
