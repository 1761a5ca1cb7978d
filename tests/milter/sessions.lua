-- Sessions that go their own ways: bounces at DATA, users, resets, no abort at all, cut connections.
dofile(dir .. "/lib.lua")

-- A bounce: not deferred at RCPT, where callouts end, but at DATA; then the session goes on.
local conn = session("198.51.100.1", "mail.example.org")
mail(conn, "<>")
rcpt(conn, "<one@example.com>", SMFIR_CONTINUE)
data(conn, SMFIR_REPLYCODE)
mt.abort(conn)
mail(conn, "<>")
rcpt(conn, "<one@example.com>", SMFIR_CONTINUE)
mt.abort(conn)

-- A user is never greylisted; the next message is nobody's.
mail(conn, "<user@example.net>", "user")
rcpt(conn, "<one@example.com>", SMFIR_CONTINUE)
eom(conn)
mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "")
mail(conn, "<user@example.net>")
rcpt(conn, "<one@example.com>", SMFIR_REPLYCODE)

-- MAIL again, without an abort; and the end without one.
mail(conn, "<user@example.net>")
rcpt(conn, "<two@example.com>", SMFIR_REPLYCODE)
mt.disconnect(conn)

-- No TCP peer; cut off in the middle of a message.
for _ = 1, 20 do
	conn = mt.connect(sock)
	want(conn, "connect", mt.conninfo(conn, "localhost", "unspec"), SMFIR_CONTINUE)
	mail(conn, "<a@example.net>")
	rcpt(conn, "<one@example.com>", SMFIR_CONTINUE)
	mt.disconnect(conn, false)
end
mt.echo("sessions.lua is done")
