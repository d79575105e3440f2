FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json ./
# Not `npm ci`: the lock file names the tools of one platform only. Without its install
# script the package `node` leaves no binary, so that the image's own runs.
RUN npm install --omit=dev --ignore-scripts && npm cache clean --force
COPY gen gen
COPY src src
ENV NODE_ENV=production PARLEY_ADDRESS=0.0.0.0:50051
USER node
EXPOSE 50051
CMD ["node", "src/main.ts"]
