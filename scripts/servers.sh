# Shared by the scripts beside it, which source it: servers that are started here are ended here, by their process id.

die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Where cargo puts what it builds.
target_dir() {
  cargo metadata --format-version 1 --no-deps --offline 2>/dev/null |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])'
}

# Whether something on this machine listens on the port.
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints as many ports as asked for that nothing uses now.
free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))
PYTHON
}

started_all=()

# Starts a command beside this script and leaves its process id in $started.
start() {
  "$@" &
  started=$!
  started_all+=("$started")
}

# Ends what was started, the last first, and waits for it.
end_started() {
  local i
  for ((i = ${#started_all[@]} - 1; i >= 0; i--)); do
    kill -TERM "${started_all[i]}" 2>/dev/null || true
    wait "${started_all[i]}" 2>/dev/null || true
  done
  started_all=()
}

# Waits at most 30 s until a started server has written the port on which it answers.
await_port_file() {
  local file="$1" server="$2" i
  for ((i = 0; i < 300; i++)); do
    [[ -s "$file" ]] && return 0
    kill -0 "$server" 2>/dev/null || die "the server ended before it listened; its messages are above"
    sleep 0.1
  done
  die "the server did not listen within 30 s"
}

# Waits at most 60 s until something listens on the port.
await_port() {
  local port="$1" server="$2" i
  for ((i = 0; i < 600; i++)); do
    port_taken "$port" && return 0
    kill -0 "$server" 2>/dev/null || die "the program for port $port ended before it listened"
    sleep 0.1
  done
  die "nothing listens on port $port after 60 s"
}
