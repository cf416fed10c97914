# Writes OUT, a C++ file holding the text of each of FILES and its index.
set(TEXT "#include \"std/index.h\"\n\nnamespace eddy::std_lib {\nnamespace {\n")
set(TABLE "")
foreach(FILE ${FILES})
  get_filename_component(NAME ${FILE} NAME_WE)
  file(READ ${FILE} BYTES HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" BYTES "${BYTES}")
  string(APPEND TEXT "constexpr std::string_view text_${NAME} = \"${BYTES}\";\n"
    "constexpr Tables<count(text_${NAME})> tables_${NAME}{text_${NAME}};\n")
  string(APPEND TABLE "    tables_${NAME}.module(\"${NAME}\", text_${NAME}),\n")
endforeach()
string(APPEND TEXT "constexpr EmbeddedModule table[] = {\n${TABLE}};\n}  // namespace\n"
  "std::span<const EmbeddedModule> embedded_modules() { return table; }\n}  // namespace eddy::std_lib\n")
file(WRITE ${OUT} "${TEXT}")
