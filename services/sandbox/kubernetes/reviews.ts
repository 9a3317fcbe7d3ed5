/** Questions about rights. A sandbox cluster has one user, who may do everything. */
import type { KindInfo } from './kinds.ts'
import { isRecord } from './objects.ts'

export const sandboxUser = 'sandbox-admin'

/** Answers a review, which is never kept. */
export function answerReview({ kind }: KindInfo, body: unknown): object {
  const asked = isRecord(body) ? body : {}
  if (kind === 'SelfSubjectAccessReview') return { ...asked, status: { allowed: true } }
  if (kind === 'SelfSubjectReview') {
    return { ...asked, status: { userInfo: { username: sandboxUser, groups: ['system:authenticated'] } } }
  }
  const all = ['*']
  const resourceRules = [{ verbs: all, apiGroups: all, resources: all }]
  return {
    ...asked,
    status: { resourceRules, nonResourceRules: [{ verbs: all, nonResourceURLs: all }], incomplete: false },
  }
}
