-- Greylisting through the milter, with greylist.delay = "1s": deferred, early, passed with a header, known.
dofile(dir .. "/lib.lua")

local conn = session("192.0.2.10", "mail.example.net")
if mt.test_option(conn, SMFIP_NOBODY) ~= true or mt.test_option(conn, SMFIP_NOHDRS) ~= true then
	fail("the message itself is of no use to it")
end
mail(conn, "<a@example.net>")
rcpt(conn, "<one@example.com>", SMFIR_REPLYCODE)
rcpt(conn, "<two@example.com>", SMFIR_REPLYCODE)
mt.abort(conn)
mt.abort(conn)
mt.sleep(2.1)
mail(conn, "<a@example.net>")
rcpt(conn, "<one@example.com>", SMFIR_CONTINUE)
rcpt_refused(conn, "<nobody@example.com>")
rcpt(conn, "<two@example.com>", SMFIR_CONTINUE)
data(conn, SMFIR_CONTINUE)
eom(conn)
if not mt.eom_check(conn, MT_HDRINSERT, "X-Greylist") then
	fail("no X-Greylist")
end
if not string.match(mt.getheader(conn, "X-Greylist", 0), "^delayed %d seconds by weir at ") then
	fail("X-Greylist: " .. mt.getheader(conn, "X-Greylist", 0))
end
mt.disconnect(conn)

-- The client is known now.
conn = session("192.0.2.10", "mail.example.net")
mail(conn, "<b@example.net>")
rcpt(conn, "<three@example.com>", SMFIR_CONTINUE)
data(conn, SMFIR_CONTINUE)
eom(conn)
if mt.eom_check(conn, MT_HDRINSERT, "X-Greylist") then
	fail("X-Greylist twice")
end
mt.disconnect(conn)
mt.echo("greylist.lua is done")
