# One instance of Slackline. Configuration by environment: `docker run … config` prints every setting.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=7400 SLACKLINE_DIR=/data LOG_LEVEL=info
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY api ./api
COPY cli ./cli
COPY disk ./disk
COPY geo ./geo
COPY log ./log
COPY proof ./proof
COPY schemas ./schemas
COPY state ./state
COPY streams ./streams
COPY topologies ./topologies
COPY world ./world
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 7400
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "cli/main.ts"]
CMD ["run"]
