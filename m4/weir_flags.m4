# WEIR_ADD_CFLAGS(FLAGS): adds those to WEIR_CFLAGS that the compiler takes.
AC_DEFUN([WEIR_ADD_CFLAGS], [AX_APPEND_COMPILE_FLAGS(m4_normalize([$1]), [WEIR_CFLAGS], [-Werror])])
