# syntax=docker/dockerfile:1
# One replica of the broker on a PostgreSQL of yours (DATABASE_URL); with `node services/gateway-main.ts` as its command one of
# the gateway, with `node services/agent/main.ts` an agent, and with `node services/agent/guard/main.ts` the guard of a node.
# docs/operating.md has how to build and run it.
#
# Node.js runs the sources as they are, so nothing is compiled. Base and version are those of the tests: a test compares
# them with package.json. Behind a mirror: --build-arg NODE_IMAGE=… and --build-arg NPM_CONFIG_REGISTRY=….
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS packages
ARG NPM_CONFIG_REGISTRY
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are the binaries of the embedded PostgreSQL, 60 MB that only `npm start` uses. Without them no
# package has an install script, and none could run.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
# A running broker installs nothing: without package managers there is less to attack, and less to be patched.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
  /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*
ARG VERSION=0.1.0
ARG REVISION
LABEL org.opencontainers.image.title="gemeentecloud" \
  org.opencontainers.image.description="The national desk for municipal datacenter capacity: the broker" \
  org.opencontainers.image.url="https://gemeentecloud.nl" \
  org.opencontainers.image.source="https://gemeentecloud.nl/gemeentecloud.git" \
  org.opencontainers.image.licenses="EUPL-1.2" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
# All of it belongs to root and is only read by the broker, which writes nothing but its log to standard error.
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY schemas schemas
COPY services/shared services/shared
COPY services/placement services/placement
COPY services/fallback services/fallback
COPY services/tunnel services/tunnel
COPY services/agent services/agent
COPY services/broker services/broker
COPY services/gateway services/gateway
COPY services/gateway-main.ts services/gateway-main.ts
# In a container loopback is nobody's; what may reach the ports is for the network to say.
ENV NODE_ENV=production HOST=0.0.0.0
EXPOSE 8080 8081 8082 8443
# A number, because Kubernetes can see of a name not whether it is root.
USER 10001:10001
ENTRYPOINT ["node", "services/broker/main.ts"]
