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
  printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

if [ "${#REDIS_PASSWORD}" -lt 16 ]; then
  echo "REDIS_PASSWORD: expected at least 16 characters. Make one with: openssl rand -hex 32" >&2
  exit 1
fi
commonhold=$(sha256 "$REDIS_PASSWORD")
operator=$(sha256 "${REDIS_OPERATOR_PASSWORD:-}")
sed -e "s/@COMMONHOLD_PASSWORD@/$commonhold/" -e "s/@OPERATOR_PASSWORD@/$operator/" "$here/users.acl" >"$users"
# The SHA-256 of nothing would let everybody in who gives no password.
if [ -z "${REDIS_OPERATOR_PASSWORD:-}" ]; then
  sed -i -e 's/^user operator on #[0-9a-f]*/user operator off/' "$users"
fi

unset REDIS_PASSWORD REDIS_OPERATOR_PASSWORD
exec redis-server "$configuration" --aclfile "$users" "$@"
