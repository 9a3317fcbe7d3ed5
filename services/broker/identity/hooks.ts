/** Authentication and the role check in front of every route: a route without an action is refused at start. */

import type { HttpServer } from '../../shared/http/server.ts'
import type { Authenticate } from '../../shared/identity/authenticate.ts'
import { Problem } from '../../shared/problem.ts'
import { type Action, actions } from './policy.ts'
import { requireAction } from './service.ts'

/** Adds the hooks; call before any route is added. */
export function protect(app: HttpServer, authenticate: Authenticate): void {
  app.decorateRequest('principal', null)
  app.addHook('onRoute', ({ url, config }) => {
    const action = config?.action
    if (action !== 'public' && !actions.includes(action as Action))
      throw new Error(`route ${url} names no action of the policy`)
  })
  app.addHook('onRequest', async (request) => {
    const action = request.routeOptions.config.action
    if (action === 'public') return
    const principal = await authenticate(request.headers.authorization)
    if (!principal) throw new Problem('unauthenticated', 'The Authorization header holds no token that we know')
    request.principal = principal
    // An unknown path has no action: it is answered 404, but only to somebody we know.
    if (action !== undefined) requireAction(principal, action as Action)
  })
}
