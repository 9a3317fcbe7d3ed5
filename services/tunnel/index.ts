/** The door to the tunnel: byte pipes from the desk to agents that dialled out. */
export { runTunnel } from './agent.ts'
export { TunnelDown, type TunnelDownReason } from './errors.ts'
export type {
  Admission,
  PeerCertificateFacts,
  TunnelAgentOptions,
  TunnelChange,
  TunnelConnection,
  TunnelIdentity,
  TunnelLimits,
  TunnelServer,
  TunnelServerOptions,
  TunnelState,
} from './model.ts'
export { peerFacts } from './peer.ts'
export { createTunnelServer } from './server.ts'
