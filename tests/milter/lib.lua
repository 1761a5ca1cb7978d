-- What the scripts of this folder share.  Give them the socket: miltertest -D sock=unix:/... -s SCRIPT

local names = {
	[SMFIR_CONTINUE] = "continue", [SMFIR_ACCEPT] = "accept", [SMFIR_TEMPFAIL] = "tempfail",
	[SMFIR_REPLYCODE] = "reply", [SMFIR_REJECT] = "reject",
}

local function name_of(reply)
	return names[reply] or tostring(reply)
end

-- miltertest ends silently at an error.
function fail(text)
	mt.echo("FAILED: " .. text)
	error(text)
end

-- A step, the error it returned, and the reply it must have had.
function want(conn, step, err, reply)
	if err ~= nil then
		fail(step .. ": " .. tostring(err))
	end
	local got = mt.getreply(conn)
	if got ~= reply then
		fail(step .. ": " .. name_of(got) .. " instead of " .. name_of(reply))
	end
end

-- A session of a client with a confirmed name.
function session(address, name)
	local conn = mt.connect(sock, 20, 0.1)
	if conn == nil then
		fail("no connection to " .. sock)
	end
	mt.macro(conn, SMFIC_CONNECT, "_", name .. " [" .. address .. "]")
	want(conn, "connect", mt.conninfo(conn, name, address), SMFIR_CONTINUE)
	return conn
end

function mail(conn, sender, user)
	if user ~= nil then
		mt.macro(conn, SMFIC_MAIL, "{auth_authen}", user)
	end
	want(conn, "MAIL " .. sender, mt.mailfrom(conn, sender), SMFIR_CONTINUE)
end

function rcpt(conn, recipient, reply)
	mt.macro(conn, SMFIC_RCPT, "{rcpt_mailer}", "smtp", "{rcpt_host}", "mx.example.com")
	want(conn, "RCPT " .. recipient, mt.rcptto(conn, recipient), reply)
end

function rcpt_refused(conn, recipient)
	mt.macro(conn, SMFIC_RCPT, "{rcpt_mailer}", "error", "{rcpt_host}", "5.1.1")
	want(conn, "RCPT " .. recipient, mt.rcptto(conn, recipient), SMFIR_CONTINUE)
end

function data(conn, reply)
	want(conn, "DATA", mt.data(conn), reply)
end

function eom(conn)
	want(conn, "end of message", mt.eom(conn), SMFIR_CONTINUE)
end
