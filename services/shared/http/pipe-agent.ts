/** HTTP/1.1 over byte pipes that somebody else opens: an `http.Agent` whose connections are pipes. */
import { Agent, type AgentOptions } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Opens a pipe where an agent would connect a socket; kept alive, queued and destroyed as sockets are. What `open` rejects
 * with is the request's error. Destroying the agent aborts the pipes that are still being opened.
 */
export function createPipeAgent(open: (signal: AbortSignal) => Promise<Duplex>, options: AgentOptions = {}): Agent {
  const agent = oneServer(new Agent(options))
  const destroyed = new AbortController()
  const destroy = agent.destroy.bind(agent)
  agent.destroy = () => {
    destroyed.abort(new Error('the connections of this agent were closed'))
    destroy()
  }
  agent.createConnection = (_options, callback) => {
    open(destroyed.signal).then(
      (pipe) => {
        // As of a socket: when the other end ends, so do we, or a kept pipe that nobody serves any longer would be used again.
        pipe.allowHalfOpen = false
        callback?.(null, pipe)
      },
      (error: Error) => callback?.(error, undefined as never),
    )
    return undefined
  }
  return agent
}

/** Tells an agent that all its connections lead to one server, so that it does not put together for each request which one. */
export function oneServer<T extends Agent>(agent: T): T {
  agent.getName = () => 'it'
  return agent
}
