/** What a LimitRange gives containers that do not say, and the most it lets them have. */
import { amountOf } from '../../shared/quantity.ts'
import type { Container, LimitRange } from './objects.ts'
import { forbidden } from './status.ts'
import type { Store } from './store.ts'

type Item = NonNullable<NonNullable<LimitRange['spec']>['limits']>[number]

/** The containers of a pod with what the ranges of its namespace fill in; a limit alone is also the request. */
export function withinRange(
  store: Store,
  pod: string,
  namespace: string,
  containers: readonly Container[],
): Container[] {
  const items = store.list('LimitRange', namespace).flatMap(({ spec }) => spec?.limits ?? [])
  const item = items.find(({ type }) => type === 'Container')
  const filled = containers.map((container) => withDefaults(container, item))
  for (const container of filled) checkMaximum(pod, container, item)
  return filled
}

function withDefaults(container: Container, item: Item | undefined): Container {
  const { limits: ownLimits, requests: ownRequests } = container.resources ?? {}
  const limits = { ...item?.default, ...ownLimits }
  const requests = { ...item?.defaultRequest, ...ownLimits, ...ownRequests }
  const resources = {
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(Object.keys(requests).length > 0 && { requests }),
  }
  return { ...container, resources }
}

function checkMaximum(pod: string, { resources }: Container, item: Item | undefined): void {
  for (const [resource, maximum] of Object.entries(item?.max ?? {})) {
    for (const [what, side] of Object.entries({ limit: resources?.limits, request: resources?.requests })) {
      const has = side && Object.hasOwn(side, resource) ? side[resource] : undefined
      if (has === undefined || amountOf(resource, String(has), 'up') <= amountOf(resource, String(maximum), 'down'))
        continue
      throw forbidden('pods', pod, `maximum ${resource} usage per Container is ${maximum}, but ${what} is ${has}`)
    }
  }
}
