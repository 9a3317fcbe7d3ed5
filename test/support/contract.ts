/** Holds answers against the OpenAPI document. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { fieldFormats } from '../../services/shared/http/validation.ts'

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>>
}

/** By their text: every server has its document, and most say the same of an answer. */
const validators = new Map<string, ValidateFunction>()
const ajv = new Ajv2020({ strict: false, formats: fieldFormats })

function validatorOf(schema: object): ValidateFunction {
  const text = JSON.stringify(schema)
  const validator = validators.get(text) ?? ajv.compile(schema)
  validators.set(text, validator)
  return validator
}

/** Throws when an answer is not what the OpenAPI document promises for its route and status. */
export function contractCheck(
  document: OpenApi,
): (method: string, url: string, status: number, type: string, body: unknown) => void {
  const routes = Object.entries(document.paths).map(([path, operations]) => ({
    pattern: new RegExp(`^/api/v1${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
    operations,
  }))
  return (method, url, status, type, body) => {
    const operation = routes.find((r) => r.pattern.test(url.split('?')[0] ?? ''))?.operations[method.toLowerCase()]
    if (!operation || status === 304 || type.startsWith('text/event-stream')) return
    const response = operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`]
    if (!response) throw new Error(`${method} ${url} answered ${status}, which the contract does not name`)
    if (status >= 400 && !type.startsWith('application/problem+json'))
      throw new Error(`${method} ${url} answered ${status} as ${type}`)
    const schema = Object.values(response.content ?? {})[0]?.schema
    const validate = schema && validatorOf(schema)
    if (validate && !validate(body)) {
      const errors = ajv.errorsText(validate.errors)
      throw new Error(`${method} ${url} ${status} is not as promised: ${errors}\n${JSON.stringify(body)}`)
    }
  }
}
