/* postfix_texts.h - what postconf 3.7.11 prints of Debian's own main.cf, as far as it matters. */
#ifndef WEIR_TESTS_POSTFIX_TEXTS_H
#define WEIR_TESTS_POSTFIX_TEXTS_H

/* postconf -x */
#define DEBIAN_VALUES                                                             \
 "compatibility_level = 3.6\n"                                                    \
 "mail_owner = postfix\n"                                                         \
 "mail_version = 3.7.11\n"                                                        \
 "milter_command_timeout = 30s\n"                                                 \
 "milter_connect_timeout = 30s\n"                                                 \
 "milter_default_action = tempfail\n"                                             \
 "milter_protocol = 6\n"                                                          \
 "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128\n"                    \
 "non_smtpd_milters =\n"                                                          \
 "postscreen_bare_newline_enable = no\n"                                          \
 "postscreen_non_smtp_command_enable = no\n"                                      \
 "postscreen_pipelining_enable = no\n"                                            \
 "queue_directory = /var/spool/postfix\n"                                         \
 "receive_override_options =\n"                                                   \
 "smtpd_client_restrictions =\n"                                                  \
 "smtpd_data_restrictions =\n"                                                    \
 "smtpd_delay_reject = yes\n"                                                     \
 "smtpd_end_of_data_restrictions =\n"                                             \
 "smtpd_helo_restrictions =\n"                                                    \
 "smtpd_milters =\n"                                                              \
 "smtpd_policy_service_default_action = 451 4.3.5 Server configuration problem\n" \
 "smtpd_policy_service_timeout = 100s\n"                                          \
 "smtpd_recipient_restrictions =\n"                                               \
 "smtpd_reject_unlisted_recipient = yes\n"                                        \
 "smtpd_relay_before_recipient_restrictions = yes\n"                              \
 "smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated "        \
 "defer_unauth_destination\n"                                                     \
 "smtpd_restriction_classes =\n"                                                  \
 "smtpd_sender_restrictions =\n"                                                  \
 "soft_bounce = no\n"

/* postconf -M: in the chroot, as Debian has it */
#define DEBIAN_SMTP                                                  \
 "smtp       inet  n       -       y       -       -       smtpd\n"  \
 "pickup     unix  n       -       y       60      1       pickup\n" \
 "cleanup    unix  n       -       y       -       0       cleanup\n"

#define SUBMISSION                                                    \
 "submission inet  n       -       y       -       -       smtpd -o " \
 "syslog_name=postfix/submission\n"

#define ASK \
 "check_policy_service { inet:127.0.0.1:10040, timeout=5s, default_action=DUNNO }"
#define BEFORE                                                               \
 "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, " \
 "reject_unlisted_recipient, "
#define GOOD_POLICY                                \
 "smtpd_recipient_restrictions = " BEFORE ASK "\n" \
 "smtpd_data_restrictions = reject_unauth_pipelining, " ASK "\n"
#define GOOD_MILTER                                                                   \
 "smtpd_milters = { unix:weir/milter.sock, connect_timeout=5s, command_timeout=10s, " \
 "default_action=accept }\n"
#define MILTER_BELOW "milter.listen=unix:/var/spool/postfix/weir/milter.sock"

#endif
