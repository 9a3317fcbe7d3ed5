/** The report of a datacenter from those of its hostings: what is summed up, and when it has not passed. */
import t from 'tap'
import { isFaulty } from '../../../services/broker/drills/core/findings.ts'
import { reportPage } from '../../../services/broker/drills/core/page.ts'
import { evidenceOfParts, type ReportedPart, reportPartOf } from '../../../services/broker/drills/core/part-report.ts'
import { aReport } from '../../support/drill-report.ts'

const figures = (promisedSeconds: number | null, achievedSeconds: number | null) => ({
  promisedSeconds,
  achievedSeconds,
  kept: promisedSeconds === null || achievedSeconds === null ? null : achievedSeconds <= promisedSeconds,
  how: 'measured',
})
const slow = { weight: 'fault', code: 'slower-than-promised', en: 'It was slow', nl: 'Het was traag' } as const

const part = (hosting: string, more: Partial<ReportedPart> = {}): ReportedPart => ({
  hostingId: `hst_${hosting}`,
  hosting,
  fits: true,
  why: null,
  report: aReport({ rto: figures(60, 20), rpo: figures(null, 5) }),
  sha256: 'a'.repeat(64),
  ...more,
})
const failed = part('traag', { report: aReport({ result: 'failed', rto: figures(60, 90), findings: [slow] }) })
const absent = { report: undefined, sha256: null }

t.test('the longest of all counts, and what was promised is kept when each was', async (t) => {
  const { rto, rpo, findings } = evidenceOfParts([part('a'), part('b')].map(reportPartOf))
  t.match(rto, { promisedSeconds: null, achievedSeconds: 20, kept: true })
  t.match(rpo, { achievedSeconds: 5, kept: null })
  t.same(findings, [])
  t.match(evidenceOfParts([part('a'), failed].map(reportPartOf)).rto, { achievedSeconds: 90, kept: false })
  t.match(evidenceOfParts([]).rto, { achievedSeconds: null, kept: null })
})

t.test(
  'one that has not passed or was not drilled is a fault; one of which nothing could be said is none',
  async (t) => {
    const findingsOf = (...parts: ReportedPart[]) => evidenceOfParts(parts.map(reportPartOf)).findings
    t.match(findingsOf(failed), [{ weight: 'fault', en: 'traag has not passed: It was slow', nl: /Het was traag$/ }])
    const aborted = part('weg', { report: aReport({ result: 'aborted', abortedBecause: 'storing' }) })
    t.match(findingsOf(aborted), [{ weight: 'fault', code: 'part-not-passed', en: /weg.*storing/ }])
    const missed = part('kaal', { ...absent, why: 'it has no standby' })
    t.match(findingsOf(missed), [
      { weight: 'fault', code: 'not-drilled', en: 'kaal was not drilled: it has no standby' },
    ])
    const out = part('los', { ...absent, fits: false, why: 'it has no fallback' })
    t.match(findingsOf(out), [{ weight: 'note', code: 'part-left-out', nl: /los.*it has no fallback/ }])
    t.equal(isFaulty(findingsOf(part('a'), out)), false)
    t.equal(isFaulty(findingsOf(part('a'), missed)), true)
  },
)

t.test('on the page each has its row, with what came of it', async (t) => {
  const parts = [part('<a>'), failed, part('kaal', { ...absent, why: 'it has no standby' })].map(reportPartOf)
  const report = aReport({ parts, subject: { kind: 'datacenter', id: 'dc_x', name: 'noord' } })
  const html = reportPage({ report, sha256: 'b'.repeat(64), signatures: [], language: 'nl' })
  t.match(html, /<h2>Hostings<\/h2>/)
  t.match(html, /<th scope="row">&lt;a&gt;<\/th><td>Geslaagd<\/td><td>oost<\/td><td>60 s \/ 20 s \/ ja<\/td>/)
  t.match(html, /<th scope="row">traag<\/th><td>Niet geslaagd<\/td>.*Het was traag; drl_0+: SHA-256 a{64}/)
  t.match(html, /<th scope="row">kaal<\/th><td>Niet beproefd<\/td><td>–<\/td>.*it has no standby/)
  const alone = reportPage({ report: aReport(), sha256: 'b'.repeat(64), signatures: [], language: 'nl' })
  t.notMatch(alone, /<h2>Hostings/, 'one hosting has no such table')
})
