# Runs the shape twice on one journal: the second time everything comes from the journal.
file(REMOVE_RECURSE "${JOURNAL}")
foreach(time IN ITEMS first second)
  execute_process(COMMAND "${PROGRAM}" "${JOURNAL}" OUTPUT_VARIABLE ${time} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "the ${time} run ended with ${status}")
  endif()
endforeach()
# The trip's text; then of the kit what is undone of the failed trip and what that says, and what
# the cart's three calls give.
if(NOT first MATCHES
   "^[0-9A-HJKMNP-TV-Z]+/6/write5\nundo Rome/[0-9A-HJKMNP-TV-Z]+/1/book-flight\nfull\n121\n$")
  message(FATAL_ERROR "unexpected: ${first}")
endif()
if(NOT first STREQUAL second)
  message(FATAL_ERROR "the second run says ${second}, the first said ${first}")
endif()
