/** Checks schemas/openapi.json against the NL API Design Rules, and that each rule finds a document that breaks it. */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { checkOpenApi, type OpenApi, openApiRules } from './check/openapi-rules.ts'
import { root } from './sources.ts'

/** Breaks every rule once or more. */
const bad: OpenApi = {
  openapi: '2.0',
  info: { version: 'one', contact: { name: 'nobody' } },
  servers: [{ url: 'https://example.nl/api' }],
  paths: {
    '/getThing/': {
      trace: { responses: {} },
      get: {
        parameters: [{ name: 'sort_by', in: 'query' }],
        responses: {
          200: { description: 'Default Response', content: { 'application/json': { schema: { type: 'array' } } } },
          500: { content: { 'application/json': {} } },
        },
      },
    },
    '/get-thing': { get: { responses: {} } },
  },
  components: { schemas: { bad_name: { properties: { bad_name: {}, changedAt: { type: 'string' } } } } },
}

/** Returns what is wrong, one line each; nothing wrong is an empty list. */
export function checkDocument(): { problems: string[]; summary: string } {
  const document = JSON.parse(readFileSync(`${root}schemas/openapi.json`, 'utf8')) as OpenApi
  const problems = checkOpenApi(document)
  const seen = new Set(checkOpenApi(bad).map((line) => line.slice(0, line.indexOf(': '))))
  const names = Object.keys(openApiRules)
  for (const name of names) if (!seen.has(name)) problems.push(`${name}: does not find the document that breaks it`)
  return { problems, summary: `${Object.keys(document.paths).length} paths, ${names.length} rules, each seen to work` }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { problems, summary } = checkDocument()
  console.log(problems.length === 0 ? summary : problems.join('\n'))
  process.exitCode = problems.length === 0 ? 0 : 1
}
