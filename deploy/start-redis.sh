#!/bin/sh
# Starts Redis with a configuration of this folder and the users of users.acl. Passwords come from the environment, and
# Redis is given their SHA-256 alone: a file of users cannot read variables.
#
#   start-redis.sh redis-state.conf [options of redis-server]
#
# REDIS_PASSWORD           of the user `commonhold`, which the servers are
# REDIS_OPERATOR_PASSWORD  of the user `operator`, for people with redis-cli; without it that user cannot log in
# REDIS_USERS_DIRECTORY    where the file of users is written. Default /run/redis
set -eu
umask 077

here=$(cd "$(dirname "$0")" && pwd)
users=${REDIS_USERS_DIRECTORY:-/run/redis}/users.acl
configuration=$here/$1
shift

sha256() {
  if command -v sha256sum >/dev/null; then printf %s "$1" | sha256sum; else printf %s "$1" | shasum -a 256; fi | cut -c 1-64
}

REDIS_PASSWORD=${REDIS_PASSWORD:-}
if [ "${#REDIS_PASSWORD}" -lt 16 ]; then
  echo "REDIS_PASSWORD: expected at least 16 characters. Make one with: openssl rand -hex 32" >&2
  exit 1
fi

# The SHA-256 of nothing would let everybody in who gives no password.
operator=off
if [ -n "${REDIS_OPERATOR_PASSWORD:-}" ]; then operator="on #$(sha256 "$REDIS_OPERATOR_PASSWORD")"; fi
sed -e "s/@COMMONHOLD@/on #$(sha256 "$REDIS_PASSWORD")/" -e "s/@OPERATOR@/$operator/" "$here/users.acl" >"$users"

unset REDIS_PASSWORD REDIS_OPERATOR_PASSWORD
exec redis-server "$configuration" --aclfile "$users" "$@"
