/* The shipped database, read-only data of whoever looks winners up. */
  .section .rodata
  .global tdaTuningDatabase
  .global tdaTuningDatabaseEnd
tdaTuningDatabase:
  .incbin TDA_TUNING_DATABASE
tdaTuningDatabaseEnd:
  .byte 0
  .section .note.GNU-stack,"",%progbits
