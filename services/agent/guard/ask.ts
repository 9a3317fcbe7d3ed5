/** A guard asks its agent: all replicas of it, of which one answers. */
import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { GuardAsk } from '../../fallback/index.ts'
import { deadline } from '../../shared/clock.ts'
import { readBody } from '../fallback/body.ts'
import {
  type GuardReply,
  guardPath,
  isSigned,
  maxGuardBytes,
  readReply,
  signatureHeader,
  signed,
} from '../fallback/guard-wire.ts'

export interface AgentLine {
  /** Rejects with why no replica answered. */
  ask(message: GuardAsk, withinMs: number): Promise<GuardReply>
  close(): void
}

const addressesOf = async (name: string) => (await lookup(name, { all: true })).map(({ address }) => address)

/** `address` is `name:port`, whose name stands for all replicas; the key is read at each question, so it may be changed. */
export function agentLine(address: string, keyFile: string, find = addressesOf): AgentLine {
  const [, name = '', port = ''] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? []
  const agent = new Agent({ keepAlive: true })
  let replicas: readonly string[] = []
  let looking: Promise<void> | undefined
  /** Names are looked up beside the questions: what was known is used for as long as nobody can say better. */
  const look = () => {
    looking ??= find(name)
      .then((found) => {
        replicas = found
      })
      .finally(() => {
        looking = undefined
      })
    return looking
  }
  return {
    async ask(message, withinMs) {
      const signal = deadline(withinMs)
      const key = readFileSync(keyFile)
      const body = JSON.stringify(message)
      const looked = look()
      if (replicas.length === 0) await looked
      else looked.catch(() => undefined)
      // All at once: one of them that hangs must not take the time of the one that would answer.
      const asked = replicas.map((host) => post({ agent, host, port: Number(port), signal }, key, body))
      return Promise.any(asked).catch(({ errors }: AggregateError) => {
        throw errors[0] ?? new Error(`${name} has no address`)
      })
    },
    close: () => agent.destroy(),
  }
}

interface Way {
  readonly agent: Agent
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
}

function post(way: Way, key: Buffer, body: string): Promise<GuardReply> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', [signatureHeader]: signed(key, 'ask', body) }
    const sent = request({ ...way, method: 'POST', path: guardPath, headers }, async (response) => {
      try {
        const text = await readBody(response, maxGuardBytes)
        if (text === undefined)
          return reject(new Error(`the answer of ${way.host} is larger than ${maxGuardBytes} bytes`))
        const signature = response.headers[signatureHeader]
        if (response.statusCode !== 200) return reject(new Error(`${way.host} answers ${response.statusCode}`))
        if (!isSigned(key, 'reply', text, String(signature))) return reject(new Error(`${way.host} signs otherwise`))
        const reply = readReply(text)
        if (reply) resolve(reply)
        else reject(new Error(`${way.host} answers what cannot be read`))
      } catch (error) {
        reject(error)
      }
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
