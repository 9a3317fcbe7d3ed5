/** In which language a caller wants what is explained: `?language=`, else `Accept-Language` (RFC 9110), else English. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { closed } from '../../../schemas/index.ts'

export type Language = 'en' | 'nl'

/** The query parameter; every route that explains has it. */
export const LanguageQuery = {
  language: Type.Optional(
    Type.Union([Type.Literal('en'), Type.Literal('nl')], {
      description: 'Language of explanations; `Accept-Language` when absent',
    }),
  ),
}

export const OnlyLanguage = Type.Object(LanguageQuery, closed)

/** The language of the answer, which the answer then names. */
export function languageOf(request: FastifyRequest, reply: FastifyReply): Language {
  const language = askedLanguage(request)
  reply.header('content-language', language).header('vary', 'accept-language')
  return language
}

/** Of a request that may have been refused before its query was looked at. */
export function askedLanguage({ query, headers }: FastifyRequest): Language {
  const { language } = (query ?? {}) as { language?: unknown }
  return language === 'en' || language === 'nl' ? language : preferredLanguage(headers['accept-language'])
}

/** The one of ours with the highest weight, the first of equals; English when neither is accepted or nothing is said. */
export function preferredLanguage(header: string | undefined): Language {
  let best: { language: Language; weight: number } | undefined
  for (const part of (header ?? '').slice(0, 500).split(',')) {
    const match = /^\s*(en|nl)(?:-[a-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(part)
    const weight = Number(match?.[2] ?? 1)
    if (match && weight > (best?.weight ?? 0)) best = { language: match[1]?.toLowerCase() as Language, weight }
  }
  return best?.language ?? 'en'
}
